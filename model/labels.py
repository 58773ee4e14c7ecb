"""What labels mean."""

from collections.abc import Sequence
from typing import Final

UNKNOWN: Final = "unknown"
"""The label by which a classifier says that it knows nobody."""


def known_labels(labels: Sequence[str]) -> tuple[str, ...]:
    """Return the labels of somebody, without `unknown`."""
    return tuple(label for label in labels if label != UNKNOWN)
