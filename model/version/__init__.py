"""A model version as files."""
