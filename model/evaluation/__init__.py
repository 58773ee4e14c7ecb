"""How good a recogniser is."""
