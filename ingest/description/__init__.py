"""What an episode file is."""
