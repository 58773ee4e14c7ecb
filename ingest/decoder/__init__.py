"""The decoder process and its parent."""
