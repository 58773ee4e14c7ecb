"""Found ranges beside a truth."""
