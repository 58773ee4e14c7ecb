"""Find what recurs in the episodes of a series, from descriptions of their frames."""
