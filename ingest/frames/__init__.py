"""From packets to stored pictures."""
