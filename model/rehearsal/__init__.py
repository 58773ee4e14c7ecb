"""Rehearsal: synthetic shots with known truth, on which thresholds are chosen."""
