"""The castline command."""
