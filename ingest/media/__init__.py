"""Opening episode files."""
