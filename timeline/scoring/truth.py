"""Truth files: who is on screen when, as a person (or the maker of an episode) states it.

A CSV file with the columns `label,start_seconds,end_seconds`; more may follow and are passed over,
as the places of an export. Ranges are half-open, an empty label
says that nobody known is on screen, and times have any form that `parse_time` reads. Or an RTTM
file (NIST, RT-09 evaluation plan, appendix A), of which the lines `SPEAKER` are read; an empty one
says that nobody known is ever on screen, as that of a timeline with nobody in it does.
"""

import csv
from collections.abc import Iterable
from dataclasses import dataclass
from fractions import Fraction
from io import StringIO
from math import floor
from pathlib import Path

from timeline.errors import TimelineError
from timeline.files import read_text, whole_file
from timeline.times import parse_time

COLUMNS = ("label", "start_seconds", "end_seconds")
"""The head of a truth file."""

RTTM_FIELDS = 8
"""Of a line of RTTM: the label is the eighth, and programs leave out what follows."""

MICROSECONDS = 1_000_000
"""Per second: the finest step that is written, as in FFmpeg's times."""


@dataclass(frozen=True, slots=True)
class LabelledRange:
    """A label over the half-open range `start_seconds <= time < end_seconds`."""

    label: str
    """Empty: nobody known is on screen."""
    start_seconds: Fraction
    end_seconds: Fraction

    def __post_init__(self) -> None:
        if not 0 <= self.start_seconds < self.end_seconds:
            raise TimelineError(
                f"range of {self.label or 'nobody'}: {float(self.start_seconds)} to "
                f"{float(self.end_seconds)} s; it must start at 0 or later and end after its start"
            )


def read_truth(path: Path) -> list[LabelledRange]:
    """Read a truth file, in the order of its rows: RTTM if its name ends in .rttm, else CSV.

    Raises:
        TimelineError: The file cannot be read, or one of its lines cannot be used.
    """
    text = read_text(path)
    if path.suffix.lower() == ".rttm":
        return _read_rttm(path, text)
    rows = csv.reader(StringIO(text, newline=""))
    try:
        head = next(rows, [])
        if tuple(head[: len(COLUMNS)]) != COLUMNS:
            raise TimelineError(
                f"{path}:1: the columns are {','.join(head)!r}; "
                f"write {','.join(COLUMNS)!r} as the first line"
            )
        return [_range(row, len(head), f"{path}:{rows.line_num}") for row in rows if row]
    except csv.Error as error:
        raise TimelineError(f"{path}: not a CSV text in UTF-8 ({error}); save it as one") from error


def _read_rttm(path: Path, text: str) -> list[LabelledRange]:
    lines = text.splitlines()
    rows = [(number, line.split()) for number, line in enumerate(lines, start=1)]
    spoken = [(number, fields) for number, fields in rows if fields[:1] == ["SPEAKER"]]
    if any(fields for _, fields in rows) and not spoken:
        raise TimelineError(
            f"{path}: no line SPEAKER; leave the file empty if nobody known is on screen"
        )
    if len(names := {fields[1] for _, fields in spoken if len(fields) > 1}) > 1:
        raise TimelineError(f"{path}: tells of {', '.join(sorted(names))}; keep one of them")
    return [_rttm_range(fields, f"{path}:{number}") for number, fields in spoken]


def _rttm_range(fields: list[str], where: str) -> LabelledRange:
    if len(fields) < RTTM_FIELDS:
        raise TimelineError(
            f"{where}: {len(fields)} fields; write"
            " SPEAKER file 1 start duration <NA> <NA> label <NA> <NA>"
        )
    try:
        start = parse_time(fields[3])
        return LabelledRange(fields[7], start, start + parse_time(fields[4]))
    except TimelineError as error:
        raise TimelineError(f"{where}: {error}") from error


def write_truth(path: Path, ranges: Iterable[LabelledRange]) -> None:
    """Write a truth file, whole or not at all.

    Times are rounded DOWN to a microsecond: the frame that starts a range stays inside it, and
    ranges that meet still do. (Rounded up, the frame at 1.9602916... s would fall out of a range
    written as starting at 1.960292 s.)

    Raises:
        TimelineError: The file cannot be written, or a range is shorter than a microsecond.
    """
    rows = [
        (entry.label, _decimal(entry.start_seconds), _decimal(entry.end_seconds))
        for entry in ranges
    ]
    for label, start, end in rows:
        if start == end:
            raise TimelineError(
                f"{path}: range of {label or 'nobody'} at {start} s is shorter than a microsecond, "
                "which the file cannot say; leave it out"
            )
    with whole_file(path) as temporary, temporary.open("w", encoding="utf-8", newline="") as file:
        writer = csv.writer(file, lineterminator="\n")
        writer.writerow(COLUMNS)
        writer.writerows(rows)


def _range(row: list[str], columns: int, where: str) -> LabelledRange:
    if len(row) != columns:
        raise TimelineError(
            f"{where}: {len(row)} fields, but the first line has {columns}; write as many"
        )
    label, start, end = row[: len(COLUMNS)]
    try:
        return LabelledRange(label.strip(), parse_time(start), parse_time(end))
    except TimelineError as error:
        raise TimelineError(f"{where}: {error}") from error


def _decimal(seconds: Fraction) -> str:
    whole, microseconds = divmod(floor(seconds * MICROSECONDS), MICROSECONDS)
    return f"{whole}.{microseconds:06}"
