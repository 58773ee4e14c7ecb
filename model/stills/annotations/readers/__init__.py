"""Readers of annotation formats, one module for each."""
