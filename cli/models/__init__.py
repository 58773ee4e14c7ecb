"""Commands that train, compare and promote model versions."""
