"""Questions and exports."""
