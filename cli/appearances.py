"""An appearance as the commands show it: in a table and in JSON."""

from typing import Any

from db.queries import EpisodeAppearance
from model.labels import Names
from timeline.times import format_time


def appearance_row(found: EpisodeAppearance, names: Names) -> tuple[str, str, str, str, str]:
    """Episode, start, end, the character's name, confidence."""
    shown = found.appearance
    return (
        found.episode,
        format_time(shown.start_seconds),
        format_time(shown.end_seconds),
        names[shown.label],
        f"{shown.mean_confidence:.2f}",
    )


def appearance_json(found: EpisodeAppearance) -> dict[str, Any]:
    """What docs/json.md says of `castline who`."""
    shown = found.appearance
    return {
        "episode": found.episode,
        "label": shown.label,
        "start_seconds": shown.start_seconds,
        "end_seconds": shown.end_seconds,
        "start_pts": shown.start_pts,
        "end_pts": shown.end_pts,
        "frames": shown.frames,
        "mean_confidence": shown.mean_confidence,
        "max_confidence": shown.max_confidence,
        "place": None if found.place is None else found.place._asdict(),
    }
