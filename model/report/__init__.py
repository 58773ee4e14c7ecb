"""What a model version says of itself."""
