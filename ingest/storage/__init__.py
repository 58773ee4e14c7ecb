"""The frame store, the cache of episodes, and shared storage."""
