"""Writes other than those of the queue."""
