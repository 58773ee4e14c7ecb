"""An appearance as the commands show it in a table."""

from castline.asking.values import Appearance
from castline.text import format_time


def appearance_row(found: Appearance) -> tuple[str, str, str, str, str]:
    """Episode, start, end, label, confidence."""
    return (
        found.episode,
        format_time(found.start_seconds),
        format_time(found.end_seconds),
        found.label,
        f"{found.mean_confidence:.2f}",
    )
