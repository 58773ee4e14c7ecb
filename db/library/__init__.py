"""Episodes and runs, read."""
