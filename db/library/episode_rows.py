"""An episode's record and its row: the one place that says which columns hold which field.

A field is kept in the column of its name, unless `_MAPPED` names others.
"""

import json
from collections.abc import Callable, Sequence
from dataclasses import astuple, dataclass, fields
from fractions import Fraction
from typing import Any

from sqlalchemy import Row

from db.failures import reading_rows
from db.records import EpisodeRecord
from exact.picture_area import PictureArea
from exact.ranges import dump_ranges, load_ranges


@dataclass(frozen=True)
class _Columns:
    """How columns hold a field."""

    names: tuple[str, ...]
    dump: Callable[[Any], Sequence[object]]
    """From the field to a value for each column."""
    load: Callable[..., object]
    """From a value of each column to the field."""


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
    """The columns of an episode, except for its id and when it was added."""
    # For queries alone: what the record works out.
    values: dict[str, object] = {
        "season": record.season,
        "duration_seconds": float(record.duration_seconds),
    }
    for name, columns in _COLUMNS.items():
        values |= zip(columns.names, columns.dump(getattr(record, name)), strict=True)
    del values["id"]
    return values


@reading_rows()
def episode_record(row: Row[Any]) -> EpisodeRecord:
    """An episode from a row that has its columns."""
    values: dict[str, Any] = {
        name: columns.load(*(getattr(row, column) for column in columns.names))
        for name, columns in _COLUMNS.items()
    }
    return EpisodeRecord(**values)
