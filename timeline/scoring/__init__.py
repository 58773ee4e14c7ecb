"""Scores of found ranges against a truth."""
