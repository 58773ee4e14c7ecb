"""Episodes with a known truth, composed from stills."""
