"""Labelled stills: datasets, what is collected for them, and episodes composed of them."""
