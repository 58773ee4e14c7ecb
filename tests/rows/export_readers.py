"""What others' parsers make of an export: who is there from which frame to which."""

import csv
import json
from bisect import bisect_left
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from fractions import Fraction
from html.parser import HTMLParser
from pathlib import Path
from typing import Any, Final

import av
import opentimelineio
import srt
import webvtt
from pyannote.database.util import load_rttm

Found = list[tuple[str, int, int]]
"""Label, first frame, frame after the last."""

MICROSECOND: Final = Fraction(1, 10**6)


@dataclass(frozen=True)
class Frames:
    """An episode's frames."""

    rate: Fraction
    """Per second."""
    seconds: Sequence[Fraction]
    """From the first frame, at which each comes on screen; and at last that of the end."""

    @property
    def count(self) -> int:
        """How many there are."""
        return len(self.seconds) - 1

    def within(self, start: Fraction, end: Fraction) -> tuple[int, int]:
        """The first frame at `start <= time < end`, and the one after the last."""
        return bisect_left(self.seconds, start), bisect_left(self.seconds, end)


def read_webvtt(path: Path, frames: Frames) -> Found:
    return [
        (
            json.loads(cue.text)["label"],
            *frames.within(_seconds_of(cue.start), _seconds_of(cue.end)),
        )
        for cue in webvtt.from_string(path.read_text())
    ]


def _seconds_of(clock: str) -> Fraction:
    hours, minutes, seconds = clock.split(":")
    return int(hours) * 3600 + int(minutes) * 60 + Fraction(seconds)


def read_srt(path: Path, frames: Frames) -> Found:
    found = []
    for line in srt.parse(path.read_text()):
        start, end = (
            (each.days * 86400 + each.seconds) + each.microseconds * MICROSECOND
            for each in (line.start, line.end)
        )
        found.append((line.content, *frames.within(start, end)))
    return found


def read_csv(path: Path, frames: Frames) -> Found:
    with path.open(newline="") as lines:
        return [
            (
                row["label"],
                *frames.within(Fraction(row["start_seconds"]), Fraction(row["end_seconds"])),
            )
            for row in csv.DictReader(lines)
        ]


def read_json(path: Path, frames: Frames) -> Found:
    return _found_in_json(path.read_text(), frames)


def _found_in_json(text: str, frames: Frames) -> Found:
    document = json.loads(text)
    base, start = Fraction(document["time_base"]), document["start_pts"]
    assert Fraction(document["frame_rate"]) == frames.rate
    return [
        (
            each["label"],
            frames.seconds.index((each["start_pts"] - start) * base),
            frames.seconds.index((each["end_pts"] - start) * base),
        )
        for each in document["ranges"]
    ]


class _Page(HTMLParser):
    """Keeps the data, and what would be loaded from elsewhere."""

    def __init__(self) -> None:
        super().__init__()
        self.data, self.cells, self._within = "", list[str](), ""

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self._within = tag
        assert not {"src", "href"} & {name for name, _ in attrs}, "it loads nothing"

    def handle_data(self, data: str) -> None:
        if self._within == "script":
            self.data += data
        elif self._within == "td" and data.strip():
            self.cells.append(data)


def read_ranges(path: Path, name: str) -> list[dict[str, Any]]:
    """The ranges as a JSON file or a page tells them."""
    page = _Page()
    page.feed(path.read_text())
    ranges: list[dict[str, Any]] = json.loads(page.data if name == "html" else path.read_text())[
        "ranges"
    ]
    return ranges


def read_html(path: Path, frames: Frames) -> Found:
    page = _Page()
    page.feed(path.read_text())
    found = _found_in_json(page.data, frames)
    assert page.cells[0::4] == [each["name"] for each in json.loads(page.data)["ranges"]]
    return found


def read_otio(path: Path, frames: Frames, adapter: str = "otio_json") -> Found:
    read = opentimelineio.adapters.read_from_string(path.read_text(), adapter)
    episode, *tracks = read.video_tracks()
    [whole] = episode.find_clips()
    assert whole.source_range.duration.value == frames.count
    assert Fraction(whole.source_range.duration.rate).limit_denominator(1001) == frames.rate
    markers = [
        (
            marker.name,
            int(marker.marked_range.start_time.value),
            int(marker.marked_range.end_time_exclusive().value),
        )
        for marker in whole.markers
    ]
    clips = []
    for track in tracks:
        for clip in track.find_clips():
            start = clip.source_range.start_time.value
            assert clip.range_in_parent().start_time.value == start, "a clip lies at its own time"
            clips.append((clip.name, start, clip.source_range.end_time_exclusive().value))
    assert sorted(clips) == sorted(markers)
    return markers


def read_fcpxml(path: Path, frames: Frames) -> Found:
    return read_otio(path, frames, "fcp_xml")


def read_edl(path: Path, frames: Frames) -> Found:
    read = opentimelineio.adapters.read_from_file(str(path), "cmx_3600", rate=float(frames.rate))
    return [
        (
            clip.name,
            int(clip.source_range.start_time.value),
            int(clip.source_range.end_time_exclusive().value),
        )
        for clip in read.find_clips()
    ]


def read_rttm(path: Path, frames: Frames) -> Found:
    """In the order of time; blanks in names are `_` there."""
    found = []
    for annotation in load_rttm(path).values():  # of one episode, or of none if nobody is there
        for segment, _, label in annotation.itertracks(yield_label=True):
            start, end = (Fraction(round(each * 10**6), 10**6) for each in segment)
            found.append((label, *frames.within(start, end)))
    return found


def read_chapters(path: Path, frames: Frames) -> Found:
    """Each label from the first to the last of the chapters in a row that name it."""
    return _joined(
        (label, start, end)
        for title, start, end in chapters_of(path, frames)
        for label in title.split(", ")
        if label not in ("nobody known", "not examined")
    )


def chapters_of(path: Path, frames: Frames) -> Found:
    """The chapters' titles and frames, as FFmpeg reads them."""
    with av.open(str(path), format="ffmetadata") as read:
        return [
            (
                chapter["metadata"]["title"],
                frames.seconds.index(chapter["start"] * base),
                frames.seconds.index(chapter["end"] * base),
            )
            for chapter in read.chapters()
            if (base := chapter["time_base"])
        ]


def _joined(pieces: Iterator[tuple[str, int, int]]) -> Found:
    found: Found = []
    last: dict[str, int] = {}
    for label, start, end in pieces:
        place = last.get(label)
        if place is not None and found[place][2] == start:
            found[place] = (label, found[place][1], end)
        else:
            last[label] = len(found)
            found.append((label, start, end))
    return found


READERS: Final[Mapping[str, Callable[[Path, Frames], Found]]] = {
    "json": read_json,
    "csv": read_csv,
    "vtt": read_webvtt,
    "srt": read_srt,
    "rttm": read_rttm,
    "chapters": read_chapters,
    "otio": read_otio,
    "fcpxml": read_fcpxml,
    "edl": read_edl,
    "html": read_html,
}
"""By the format's name."""
