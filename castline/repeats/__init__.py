"""What recurs in the episodes of a series: openings and credits."""
