"""Model versions: training, comparison, promotion and import."""
