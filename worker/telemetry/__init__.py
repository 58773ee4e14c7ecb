"""Logs and metrics of workers."""
