"""Safe opening of episode files."""
