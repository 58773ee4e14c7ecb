"""The decoder process and the client with which its parent uses it."""
