"""Tagging: the queue, work on this machine, progress, and running models again."""
