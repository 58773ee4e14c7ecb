"""Text formats: JSON, CSV, WebVTT, SubRip, RTTM and FFmpeg's chapters.

All times count from the episode's first frame. Decimals are rounded DOWN: the frame that starts a
range stays inside it, the frame that ends it stays outside, and so the frames of a range come back
exactly.
"""

import csv
import io
import json
from collections.abc import Iterator
from dataclasses import asdict, astuple
from fractions import Fraction
from itertools import groupby, pairwise
from math import floor

from timeline.export.formats import ExportedTimeline
from timeline.scoring.truth import COLUMNS

PLACE_COLUMNS = ("place_x", "place_y", "place_width", "place_height")
"""Of CSV, after those of a truth file: as shares of the active picture; empty where not known."""

NAME_COLUMN = "name"
"""Of CSV, at the end."""

FORMULA_SIGNS = (*"=+-@", *"\uff1d\uff0b\uff0d\uff20")
"""By which formulas begin in spreadsheets; the latter four are as wide as Chinese letters."""

NOBODY, UNEXAMINED = "nobody known", "not examined"
"""Titles of chapters."""


def json_text(timeline: ExportedTimeline) -> str:
    """Return all data, with exact times as pts and their time base."""
    document = {
        "episode": timeline.name,
        "path": timeline.path,
        "sha256": timeline.sha256,
        "model": timeline.model,
        "time_base": str(timeline.time_base),
        "frame_rate": str(timeline.frame_rate),
        "rate_varies": timeline.rate_varies,
        "start_pts": timeline.start_pts,
        "end_pts": timeline.end_pts,
        "missing_pts": [list(each) for each in timeline.missing],
        "ranges": [
            {
                "label": entry.label,
                "name": timeline.name_of(entry.label),
                "start_seconds": float(timeline.seconds(entry.start_pts)),
                "end_seconds": float(timeline.seconds(entry.end_pts)),
                "start_pts": entry.start_pts,
                "end_pts": entry.end_pts,
                "confidence": entry.confidence,
                "place": None if entry.place is None else asdict(entry.place),
            }
            for entry in timeline.entries
        ],
    }
    return json.dumps(document, indent=2, ensure_ascii=False) + "\n"


def csv_text(timeline: ExportedTimeline) -> str:
    """A truth file, so that one timeline can be measured by another; with places and names."""
    written = io.StringIO()
    writer = csv.writer(written, lineterminator="\n")
    writer.writerow((*COLUMNS, *PLACE_COLUMNS, NAME_COLUMN))
    for entry, (label, start, end) in zip(timeline.entries, _rows(timeline), strict=True):
        place = ("",) * len(PLACE_COLUMNS) if entry.place is None else astuple(entry.place)
        name = _cell(timeline.name_of(label))
        writer.writerow((label, _decimal(start, 6), _decimal(end, 6), *place, name))
    return written.getvalue()


def vtt_text(timeline: ExportedTimeline) -> str:
    """A WebVTT metadata track (W3C, WebVTT, 3.2): cues of JSON with `label` and `confidence`."""
    cues = ["WEBVTT"]
    for entry in timeline.entries:
        times = f"{_clock(timeline, entry.start_pts)} --> {_clock(timeline, entry.end_pts)}"
        payload = {
            "label": entry.label,
            "name": timeline.name_of(entry.label),
            "confidence": entry.confidence,
        }
        # A cue's text must not hold "-->".
        text = json.dumps(payload, ensure_ascii=False).replace(">", "\\u003e")
        cues.append(f"{times}\n{text}")
    return "\n\n".join(cues) + "\n"


def srt_text(timeline: ExportedTimeline) -> str:
    """SubRip: each subtitle is a character's name."""
    return "".join(
        f"{number}\n"
        f"{_clock(timeline, entry.start_pts, ',')} --> {_clock(timeline, entry.end_pts, ',')}\n"
        f"{_one_line(timeline.name_of(entry.label))}\n\n"
        for number, entry in enumerate(timeline.entries, start=1)
    )


def rttm_text(timeline: ExportedTimeline) -> str:
    """Return Rich Transcription Time Marked (NIST, RT-09 evaluation plan, appendix A)."""
    name = _one_word(timeline.name)
    return "".join(
        f"SPEAKER {name} 1 {_decimal(start, 6)} {_decimal(_down(end, 6) - _down(start, 6), 6)} "
        f"<NA> <NA> {_one_word(label)} <NA> <NA>\n"
        for label, start, end in _rows(timeline)
    )


def chapters_text(timeline: ExportedTimeline) -> str:
    """FFmpeg's metadata file: a chapter for each stretch in which the same labels are on screen."""
    lines = [";FFMETADATA1"]
    for start_pts, end_pts, title in _stretches(timeline):
        lines += [
            "[CHAPTER]",
            f"TIMEBASE={timeline.time_base.numerator}/{timeline.time_base.denominator}",
            f"START={start_pts - timeline.start_pts}",
            f"END={end_pts - timeline.start_pts}",
            f"title={_escaped(title)}",
        ]
    return "\n".join(lines) + "\n"


def _stretches(timeline: ExportedTimeline) -> Iterator[tuple[int, int, str]]:
    """From the episode's start to its end, without gaps or overlaps; no two alike in a row."""
    borders = {timeline.start_pts, timeline.end_pts}
    borders.update(pts for each in timeline.missing for pts in each)
    borders.update(pts for entry in timeline.entries for pts in (entry.start_pts, entry.end_pts))
    pieces = pairwise(sorted(borders))
    for title, alike in groupby(pieces, key=lambda piece: _title(timeline, piece[0])):
        (start_pts, end_pts), *rest = alike
        yield start_pts, rest[-1][1] if rest else end_pts, title


def _title(timeline: ExportedTimeline, pts: int) -> str:
    labels = {entry.label for entry in timeline.entries if entry.start_pts <= pts < entry.end_pts}
    unseen = any(start <= pts < end for start, end in timeline.missing)
    return ", ".join(sorted(map(timeline.name_of, labels))) or (UNEXAMINED if unseen else NOBODY)


def _rows(timeline: ExportedTimeline) -> Iterator[tuple[str, Fraction, Fraction]]:
    for entry in timeline.entries:
        yield entry.label, timeline.seconds(entry.start_pts), timeline.seconds(entry.end_pts)


def _down(seconds: Fraction, digits: int) -> Fraction:
    return Fraction(floor(seconds * 10**digits), 10**digits)


def _decimal(seconds: Fraction, digits: int) -> str:
    whole, rest = divmod(floor(seconds * 10**digits), 10**digits)
    return f"{whole}.{rest:0{digits}}"


def _clock(timeline: ExportedTimeline, pts: int, point: str = ".") -> str:
    seconds, milliseconds = divmod(floor(timeline.seconds(pts) * 1000), 1000)
    minutes, second = divmod(seconds, 60)
    hour, minute = divmod(minutes, 60)
    return f"{hour:02}:{minute:02}:{second:02}{point}{milliseconds:03}"


def _cell(text: str) -> str:
    """A text that no spreadsheet computes: an apostrophe stands before what begins a formula."""
    return f"'{text}" if text.startswith(FORMULA_SIGNS) else text


def _one_line(text: str) -> str:
    return " ".join(text.split())


def _one_word(text: str) -> str:
    return "_".join(text.split())


def _escaped(text: str) -> str:
    """As FFmpeg's metadata files want it: a backslash before what has a meaning there."""
    return "".join(f"\\{letter}" if letter in "=;#\\\n" else letter for letter in text)
