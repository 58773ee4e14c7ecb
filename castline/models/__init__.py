"""Model versions: trained, compared, promoted, imported."""
