"""Datasets: labelled stills, split, in shards."""
