"""Datasets and what fills them."""
