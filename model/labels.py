"""What labels mean."""

from typing import Final

UNKNOWN: Final = "unknown"
"""The label by which a classifier says that it knows nobody."""
