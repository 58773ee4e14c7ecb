"""Labelled stills: datasets, collecting stills for them, and composing episodes from them."""
