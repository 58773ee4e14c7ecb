"""Tables with a row for each range: CSV, and Parquet where pyarrow is installed."""

import csv
import io
from collections.abc import Callable, Iterable, Iterator, Mapping
from dataclasses import astuple
from itertools import islice
from typing import Any, NamedTuple

from timeline.cells import cell
from timeline.errors import TimelineError
from timeline.export.decimals import decimal
from timeline.export.formats import Entry, ExportedTimeline
from timeline.scoring.truth import COLUMNS, EPISODE_COLUMN

PLACE_COLUMNS = ("place_x", "place_y", "place_width", "place_height")
"""Columns of places, as shares of the active picture; empty where not known."""


class EpisodeColumn(NamedTuple):
    """A column of the episode's properties."""

    value: Callable[[ExportedTimeline], str | int | None]
    kind: str
    """Arrow's name of the column's type."""


EPISODE_COLUMNS: Mapping[str, EpisodeColumn] = {
    EPISODE_COLUMN: EpisodeColumn(lambda timeline: timeline.name, "string"),
    "series": EpisodeColumn(lambda timeline: timeline.series, "string"),
    "season": EpisodeColumn(lambda timeline: timeline.season, "int32"),
    "number": EpisodeColumn(lambda timeline: timeline.number, "int32"),
    "title": EpisodeColumn(lambda timeline: timeline.title, "string"),
}
"""Columns by name, in order: the last ones of both tables."""

PARQUET_COLUMNS: Mapping[str, str] = {
    "label": "string",
    "start_seconds": "float64",
    "end_seconds": "float64",
    "start_pts": "int64",
    "end_pts": "int64",
    "confidence": "float64",
    **dict.fromkeys(PLACE_COLUMNS, "float64"),
    "name": "string",
    **{name: column.kind for name, column in EPISODE_COLUMNS.items()},
    "sha256": "string",
    "model": "string",
}
"""Arrow's name of each column's type."""

ROWS_IN_GROUP = 100_000
"""Rows of Parquet that are in memory as Python's values: about a hundred episodes."""


def csv_pieces(timelines: Iterable[ExportedTimeline]) -> Iterator[str]:
    """Yield a truth file with additional columns, so that it can serve as a truth."""
    written = io.StringIO()
    writer = csv.writer(written, lineterminator="\n")
    writer.writerow((*COLUMNS, "confidence", *PLACE_COLUMNS, "name", *EPISODE_COLUMNS))
    for timeline in timelines:
        of_episode = [_cell(column.value(timeline)) for column in EPISODE_COLUMNS.values()]
        for entry in timeline.entries:
            times = (decimal(timeline.seconds(pts)) for pts in (entry.start_pts, entry.end_pts))
            name = cell(timeline.name_of(entry.label))
            writer.writerow(
                (entry.label, *times, _cell(entry.confidence), *_place(entry), name, *of_episode)
            )
        yield written.getvalue()
        written.seek(0)
        written.truncate()
    yield written.getvalue()  # the header, if there was no timeline


def _place(entry: Entry) -> tuple[Any, ...]:
    return (None,) * len(PLACE_COLUMNS) if entry.place is None else astuple(entry.place)


def _cell(value: str | float | None) -> str | float:
    if value is None:
        return ""
    return cell(value) if isinstance(value, str) else value


def parquet_pieces(timelines: Iterable[ExportedTimeline]) -> Iterator[bytes]:
    """Yield the same columns with exact pts, the model and the episode's SHA-256.

    Raises:
        TimelineError: pyarrow is not installed.
    """
    try:
        import pyarrow as pa
        from pyarrow.parquet import ParquetWriter
    except ModuleNotFoundError as error:
        raise TimelineError("parquet needs more; install castline[parquet]") from error
    schema = pa.schema([(name, pa.type_for_alias(kind)) for name, kind in PARQUET_COLUMNS.items()])

    def pieces() -> Iterator[bytes]:
        written = io.BytesIO()
        with ParquetWriter(written, schema) as writer:
            rows = _all_values(timelines)
            while some := list(islice(rows, ROWS_IN_GROUP)):
                columns = zip(*some, strict=True)
                arrays = [
                    pa.array(each, field.type) for each, field in zip(columns, schema, strict=True)
                ]
                writer.write_table(pa.table(arrays, schema=schema))
        yield written.getvalue()

    return pieces()


def _all_values(timelines: Iterable[ExportedTimeline]) -> Iterator[tuple[Any, ...]]:
    return (_values(timeline, entry) for timeline in timelines for entry in timeline.entries)


def _values(timeline: ExportedTimeline, entry: Entry) -> tuple[Any, ...]:
    return (
        entry.label,
        float(timeline.seconds(entry.start_pts)),
        float(timeline.seconds(entry.end_pts)),
        entry.start_pts,
        entry.end_pts,
        entry.confidence,
        *_place(entry),
        timeline.name_of(entry.label),
        *(column.value(timeline) for column in EPISODE_COLUMNS.values()),
        timeline.sha256,
        timeline.model,
    )
