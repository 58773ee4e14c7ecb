"""Exact values that all packages share: times in pts, ranges of them, pictures in pixels."""
