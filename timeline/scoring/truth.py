"""Truth files: the true ranges of labels, as stated by a person or the composer of an episode.

A CSV file with the columns `label,start_seconds,end_seconds`; further columns are ignored, such as
the places of an export, except `episode`, which names the episode of a row. Ranges are half-open,
an empty label says that no known character is on screen, and times have any form that `parse_time`
reads. Or an RTTM file (NIST, RT-09 evaluation plan, appendix A), of which the lines `SPEAKER` are
read, or subtitles (VTT, SRT) or ELAN's annotations (EAF). An empty file of these formats says that
no known character is ever on screen, like the export of such a timeline.
"""

import csv
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from fractions import Fraction
from io import StringIO
from math import floor
from pathlib import Path

from timeline.cells import cell
from timeline.errors import TimelineError
from timeline.files import read_text, whole_file
from timeline.scoring.tracks import Told, read_cues, read_eaf
from timeline.times import parse_time

COLUMNS = ("label", "start_seconds", "end_seconds")
"""The header of a truth file."""

EPISODE_COLUMN = "episode"
"""Column of a truth file of several episodes."""

RTTM_FIELDS = 8
"""Fields in a line of RTTM: the label is the eighth, and programs may leave out the rest."""

MICROSECONDS = 1_000_000
"""Units per second: the finest step that is written, as in FFmpeg's times."""


@dataclass(frozen=True, slots=True)
class LabelledRange:
    """A label over the half-open range `start_seconds <= time < end_seconds`."""

    label: str
    """Empty: no known character is on screen."""
    start_seconds: Fraction
    end_seconds: Fraction

    def __post_init__(self) -> None:
        if not 0 <= self.start_seconds < self.end_seconds:
            raise TimelineError(
                f"range of {self.label or 'nobody'}: {float(self.start_seconds)} to "
                f"{float(self.end_seconds)} s; it must start at 0 or later and end after its start"
            )


def ranges_within(
    ranges: Iterable[LabelledRange], start_seconds: Fraction, end_seconds: Fraction
) -> list[LabelledRange]:
    """What of some ranges lies in start_seconds <= time < end_seconds."""
    clipped = (
        (each.label, max(each.start_seconds, start_seconds), min(each.end_seconds, end_seconds))
        for each in ranges
    )
    return [LabelledRange(label, start, end) for label, start, end in clipped if start < end]


def counted_from(start_seconds: Fraction, found: LabelledRange) -> LabelledRange:
    """A range whose times count from a later moment, at or before its start."""
    return LabelledRange(
        found.label, found.start_seconds - start_seconds, found.end_seconds - start_seconds
    )


def read_truth(path: Path, *names: str) -> list[LabelledRange]:
    """Read a truth file in its order; the suffix determines the format, CSV by default.

    Args:
        path: The file.
        names: The names of the episode to read, if the file covers several; the best first.

    Returns:
        The ranges.

    Raises:
        TimelineError: The file cannot be read, one of its lines is invalid, or it covers several
            episodes but not this one.
    """
    text = read_text(path)
    read = {".rttm": _read_rttm, ".vtt": read_cues, ".srt": read_cues, ".eaf": read_eaf}
    told = list(read.get(path.suffix.lower(), _read_csv)(str(path), text))
    return [_range(each) for each in _of_episode(path, told, names)]


def _of_episode(path: Path, told: Sequence[Told], names: Sequence[str]) -> list[Told]:
    """Select an episode's content; everything where the file covers only one, of any name."""
    known = {each.episode for each in told if each.episode is not None}
    if len(known) < 2:
        return list(told)
    listed = ", ".join(sorted(known))
    if not names:
        raise TimelineError(f"{path}: tells of {listed}; keep one of them")
    for name in names:
        written = {name, cell(name), "_".join(name.split())}
        if found := [each for each in told if each.episode in written]:
            return found
    raise TimelineError(f"{path}: tells of {listed}, and not of {names[0]}; name another file")


def _range(told: Told) -> LabelledRange:
    try:
        return LabelledRange(told.label, told.start_seconds, told.end_seconds)
    except TimelineError as error:
        raise TimelineError(f"{told.where}: {error}") from error


def _read_csv(where: str, text: str) -> Iterator[Told]:
    rows = csv.reader(StringIO(text, newline=""))
    try:
        head = next(rows, [])
        if tuple(head[: len(COLUMNS)]) != COLUMNS:
            raise TimelineError(
                f"{where}:1: the columns are {','.join(head)!r}; "
                f"write {','.join(COLUMNS)!r} as the first line"
            )
        for row in rows:
            if row:
                yield _csv_row(f"{where}:{rows.line_num}", head, row)
    except csv.Error as error:
        raise TimelineError(
            f"{where}: not a CSV text in UTF-8 ({error}); save it as one"
        ) from error


def _csv_row(where: str, head: list[str], row: list[str]) -> Told:
    if len(row) != len(head):
        raise TimelineError(
            f"{where}: {len(row)} fields, but the first line has {len(head)}; write as many"
        )
    label, start, end = row[: len(COLUMNS)]
    episode = row[head.index(EPISODE_COLUMN)] if EPISODE_COLUMN in head else None
    try:
        return Told(where, episode, label.strip(), parse_time(start), parse_time(end))
    except TimelineError as error:
        raise TimelineError(f"{where}: {error}") from error


def _read_rttm(where: str, text: str) -> Iterator[Told]:
    lines = text.splitlines()
    rows = [(number, line.split()) for number, line in enumerate(lines, start=1)]
    spoken = [(number, fields) for number, fields in rows if fields[:1] == ["SPEAKER"]]
    if any(fields for _, fields in rows) and not spoken:
        raise TimelineError(
            f"{where}: no line SPEAKER; leave the file empty if nobody known is on screen"
        )
    for number, fields in spoken:
        yield _rttm_line(f"{where}:{number}", fields)


def _rttm_line(where: str, fields: list[str]) -> Told:
    if len(fields) < RTTM_FIELDS:
        raise TimelineError(
            f"{where}: {len(fields)} fields; write"
            " SPEAKER file 1 start duration <NA> <NA> label <NA> <NA>"
        )
    try:
        start = parse_time(fields[3])
        return Told(where, fields[1], fields[7], start, start + parse_time(fields[4]))
    except TimelineError as error:
        raise TimelineError(f"{where}: {error}") from error


def write_truth(path: Path, ranges: Iterable[LabelledRange]) -> None:
    """Write a truth file atomically.

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


def _decimal(seconds: Fraction) -> str:
    whole, microseconds = divmod(floor(seconds * MICROSECONDS), MICROSECONDS)
    return f"{whole}.{microseconds:06}"
