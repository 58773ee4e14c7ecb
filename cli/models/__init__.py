"""Model versions: trained, compared, promoted."""
