"""People's questions, and their own SQL."""
