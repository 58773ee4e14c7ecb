"""Reading episodes and runs."""
