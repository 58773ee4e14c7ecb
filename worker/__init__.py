"""The workers: settings, runs and chunks, the embedded runner and the Celery workers."""
