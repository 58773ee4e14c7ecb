"""Runs: asked for, followed, reported."""
