"""Datasets: labelled stills, split into parts and packed into shards."""
