"""Maintenance of a library: checks, pruning and upgrades."""
