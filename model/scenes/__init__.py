"""Scenes: composed training pictures and their targets."""
