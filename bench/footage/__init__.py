"""Real footage beside its truth: tagged, counted, reported, looked at."""
