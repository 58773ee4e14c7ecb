"""Compare real footage with its truth: tag, count, report, show mistakes."""
