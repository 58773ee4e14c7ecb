"""Scenes: what a network learns from."""
