"""Rows of appearances for the tables of several commands."""

from collections.abc import Mapping

from castline.asking.values import Appearance
from castline.text import format_time


def appearance_row(found: Appearance, names: Mapping[str, str]) -> tuple[str, str, str, str, str]:
    """Return episode, start, end, the character's name and confidence."""
    return (
        found.episode,
        format_time(found.start_seconds),
        format_time(found.end_seconds),
        names[found.label],
        f"{found.mean_confidence:.2f}",
    )
