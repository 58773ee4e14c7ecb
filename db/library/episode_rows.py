"""The mapping of an episode's record to the columns of its row, in one place.

A field is stored in the column of its name, unless `_MAPPED` names others.
"""

import json
from collections.abc import Callable, Sequence
from dataclasses import astuple, dataclass, fields
from fractions import Fraction
from typing import Any

from sqlalchemy import Row

from db.episode_names import EpisodeName
from db.failures import reading_rows
from db.records import EpisodeRecord
from exact.picture_area import PictureArea
from exact.ranges import dump_ranges, load_ranges


@dataclass(frozen=True)
class _Columns:
    """The mapping of a field to columns."""

    names: tuple[str, ...]
    dump: Callable[[Any], Sequence[object]]
    """Converts the field to a value for each column."""
    load: Callable[..., object]
    """Converts the value of each column to the field."""


def _fraction(name: str) -> _Columns:
    return _Columns(
        (f"{name}_num", f"{name}_den"),
        lambda value: (value.numerator, value.denominator),
        Fraction,
    )


_MAPPED = {
    "sample_aspect_ratio": _fraction("sample_aspect"),
    "frame_rate": _fraction("frame_rate"),
    "time_base": _fraction("time_base"),
    "area": _Columns(
        ("area_x", "area_y", "area_width", "area_height"),
        astuple,
        PictureArea,
    ),
    "called": _Columns(
        ("series", "season", "number", "title"),
        astuple,
        EpisodeName,
    ),
    "key_pts": _Columns(
        ("key_pts",),
        lambda pts: (json.dumps(pts, separators=(",", ":")),),
        lambda text: tuple(json.loads(text)),
    ),
    "missing": _Columns(("missing",), lambda ranges: (dump_ranges(ranges),), load_ranges),
}

_COLUMNS = {
    field.name: _MAPPED.get(
        field.name, _Columns((field.name,), lambda value: (value,), lambda value: value)
    )
    for field in fields(EpisodeRecord)
}


def episode_values(record: EpisodeRecord) -> dict[str, object]:
    """Return the columns of an episode, except for its id and the time it was added."""
    # A derived value, for queries only.
    values: dict[str, object] = {"duration_seconds": float(record.duration_seconds)}
    for name, columns in _COLUMNS.items():
        values |= zip(columns.names, columns.dump(getattr(record, name)), strict=True)
    del values["id"]
    return values


@reading_rows()
def episode_record(row: Row[Any]) -> EpisodeRecord:
    """Return an episode from a row with its columns."""
    values: dict[str, Any] = {
        name: columns.load(*(getattr(row, column) for column in columns.names))
        for name, columns in _COLUMNS.items()
    }
    return EpisodeRecord(**values)
