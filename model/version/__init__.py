"""Model versions: their files, manifest and weights."""
