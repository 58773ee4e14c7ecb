"""Training: from labelled stills to weights."""
