"""Add labels to an existing model."""
