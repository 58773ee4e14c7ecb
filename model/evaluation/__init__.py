"""Evaluation of classifiers on labelled stills."""
