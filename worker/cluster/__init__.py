"""Celery workers on many machines."""
