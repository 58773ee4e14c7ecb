"""The formats in which a timeline is exported, and the data they are made from."""

from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from fractions import Fraction
from importlib import import_module
from itertools import groupby
from pathlib import Path, PurePath
from typing import Any, NamedTuple

from exact.place import Place
from exact.ranges import PtsRange, PtsRanges, fill_gaps, lasting, union
from timeline.errors import TimelineError


@dataclass(frozen=True, slots=True)
class Entry:
    """A label or an expression over the half-open range `start_pts <= pts < end_pts`."""

    label: str
    start_pts: int
    end_pts: int
    confidence: float | None = None
    """Mean confidence; None where the range is not a single appearance."""
    place: Place | None = None
    """The most confident place; None where none is known."""


@dataclass(frozen=True, slots=True)
class Sighting:
    """A label in one sampled frame, while it is on screen."""

    pts: int
    label: str
    confidence: float
    place: Place | None
    """Place; None where the model gives none."""


@dataclass(frozen=True, slots=True)
class ExportedTimeline:
    """The timeline of one episode, with all data that formats need."""

    name: str
    """Name of the file, or of twins as much of the path as tells them apart: `A/S01E01.mp4`."""
    path: str
    """Path of the video file: absolute, or a URL on shared storage."""
    sha256: str
    model: str
    """NAME@VERSION of the model."""
    time_base: Fraction
    """Seconds per pts unit."""
    start_pts: int
    end_pts: int
    frame_rate: Fraction
    rate_varies: bool
    examined: PtsRange
    """Half-open: the part that was to be examined, or the whole."""
    missing: Sequence[PtsRange]
    """Half-open ranges of that which could not be examined, ascending."""
    entries: Sequence[Entry]
    """Ranges by start, then label."""
    width: int
    """Width of the whole picture in pixels, rotated for display."""
    height: int
    picture_width: int
    """Width of the active picture in pixels; places are shares of it."""
    picture_height: int
    sampled_pts: Sequence[int] = ()
    """The pts of the sampled frames, ascending; empty where no format needs them."""
    sightings: Sequence[Sighting] = ()
    """Sightings of the entries' labels, by pts; empty, too, where the ranges are an
    expression's."""
    names: Mapping[str, str] = field(default_factory=dict)
    """Display names by label."""
    shortest_chapter_seconds: Fraction = Fraction(0)
    """Stretches are joined to chapters of at least this duration."""
    series: str | None = None
    season: int | None = None
    number: int | None = None
    """Number of the episode in its season."""
    title: str | None = None

    @property
    def stem(self) -> str:
        """The name without its suffix, as a part of file names: `A-S01E01` of `A/S01E01.mp4`."""
        parts = "".join(self.name.rsplit(PurePath(self.path).suffix or "/", 1)).split("/")
        return "-".join(part for part in parts if part)

    def name_of(self, label: str) -> str:
        """Return the display name of a label, or the label or expression itself without one."""
        return self.names.get(label, label)

    @property
    def unexamined(self) -> PtsRanges:
        """Ranges of the episode that were not examined: missing, or outside the part."""
        start, end = self.examined
        return union([(self.start_pts, start), *self.missing, (end, self.end_pts)])

    @property
    def url(self) -> str:
        """URL of the video file."""
        return self.path if "://" in self.path else Path(self.path).as_uri()

    @property
    def has_places(self) -> bool:
        """Whether any sighting has a place."""
        return any(sighting.place is not None for sighting in self.sightings)

    def seconds(self, pts: int) -> Fraction:
        """Return exact seconds from the episode's first frame."""
        return (pts - self.start_pts) * self.time_base

    def frame(self, pts: int) -> int:
        """Return the number of the frame that starts at a pts, from 0.

        Raises:
            TimelineError: The frame rate is variable, so that a frame number gives no time.
        """
        if self.rate_varies:
            raise TimelineError(
                f"{self.name}: its frame rate varies, which otio, edl and fcpxml cannot tell; "
                "export json, csv or vtt, or convert the video to a constant rate"
            )
        # Containers round times (Matroska to milliseconds); the frame number is an integer.
        return round(self.seconds(pts) * self.frame_rate)


def smoothed(
    entries: Sequence[Entry],
    examined: Sequence[PtsRange],
    longest_gap_pts: Fraction,
    shortest_pts: Fraction,
) -> list[Entry]:
    """Fill short gaps within each label, then drop short entries.

    Args:
        entries: Entries by start, then label.
        examined: Half-open ranges; a gap that is not within one of them is not filled.
        longest_gap_pts: Gaps of at most this length are filled.
        shortest_pts: Least length of the remaining entries.

    Returns:
        The remaining entries.
    """
    own = {(entry.label, entry.start_pts, entry.end_pts): entry for entry in entries}
    by_label = sorted(entries, key=lambda entry: entry.label)
    found = [
        own.get((label, *each), Entry(label, *each))
        for label, some in groupby(by_label, key=lambda entry: entry.label)
        for each in lasting(
            fill_gaps(
                union((entry.start_pts, entry.end_pts) for entry in some),
                longest_gap_pts,
                examined,
            ),
            shortest_pts,
        )
    ]
    return sorted(found, key=lambda entry: (entry.start_pts, entry.label))


class Format(NamedTuple):
    """The suffix of a format's files, and the functions that write their content."""

    suffix: str
    module: str
    of_one: str | None = None
    """Returns the text of one timeline; None where `of_many` is used for one, too."""
    of_many: str | None = None
    """Yields the pieces of a file of several timelines; None where a file holds only one."""


FORMATS = {
    "json": Format(".json", "timeline.export.text", "json_text", "json_list"),
    "csv": Format(".csv", "timeline.export.tables", of_many="csv_pieces"),
    "parquet": Format(".parquet", "timeline.export.tables", of_many="parquet_pieces"),
    "vtt": Format(".vtt", "timeline.export.subtitles", "vtt_text"),
    "srt": Format(".srt", "timeline.export.subtitles", "srt_text"),
    "rttm": Format(".rttm", "timeline.export.text", of_many="rttm_pieces"),
    "chapters": Format(".chapters.txt", "timeline.export.chapters", "ffmpeg_text"),
    "matroska": Format(".chapters.xml", "timeline.export.chapters", "matroska_text"),
    "eaf": Format(".eaf", "timeline.export.annotations", "eaf_text"),
    "iiif": Format(".iiif.json", "timeline.export.annotations", of_many="iiif_pieces"),
    "graphml": Format(".graphml", "timeline.export.graph", of_many="graphml_pieces"),
    "otio": Format(".otio", "timeline.export.edits", "otio_text"),
    "edl": Format(".edl", "timeline.export.edits", "edl_text"),
    "fcpxml": Format(".xml", "timeline.export.edits", "fcpxml_text"),
    "html": Format(".html", "timeline.export.page", "html_text"),
    "coco": Format(".coco.json", "timeline.export.coco", "coco_text"),
}
"""Formats by name. Modules are imported on use, and heavy libraries only then."""


def exported(timeline: ExportedTimeline, name: str) -> Iterator[bytes]:
    """Yield the content of a file in the format with this name, piece by piece.

    Raises:
        TimelineError: The format cannot represent this timeline.
    """
    chosen = FORMATS[name]
    if chosen.of_one is None:
        return exported_together([timeline], name)
    text: str = _function(chosen.module, chosen.of_one)(timeline)
    return iter([text.encode()])


def exported_together(timelines: Iterable[ExportedTimeline], name: str) -> Iterator[bytes]:
    """Yield the content of one file of several timelines, which are read one at a time.

    Raises:
        TimelineError: The library for the format is not installed.
    """
    chosen = FORMATS[name]
    assert chosen.of_many is not None
    pieces: Iterator[str | bytes] = _function(chosen.module, chosen.of_many)(timelines)
    return (piece if isinstance(piece, bytes) else piece.encode() for piece in pieces)


def _function(module: str, name: str) -> Any:
    return getattr(import_module(module), name)
