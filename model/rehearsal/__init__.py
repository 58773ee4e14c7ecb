"""Rehearsed shots, on which thresholds are chosen."""
