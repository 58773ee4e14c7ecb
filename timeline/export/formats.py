"""A timeline in the formats that other tools read: which there are, and what they are made of."""

from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from fractions import Fraction
from importlib import import_module
from itertools import groupby
from pathlib import Path
from typing import Any, NamedTuple

from exact.ranges import PtsRange, fill_gaps, lasting, union
from timeline.errors import TimelineError
from timeline.place import Place


@dataclass(frozen=True, slots=True)
class Entry:
    """A label, or what was asked, over the half-open range `start_pts <= pts < end_pts`."""

    label: str
    start_pts: int
    end_pts: int
    confidence: float | None = None
    """Its mean; None where the range is no single appearance."""
    place: Place | None = None
    """Where it was seen most surely; None where that is not known."""


@dataclass(frozen=True, slots=True)
class Sighting:
    """A label in one sampled frame, while it is on screen."""

    pts: int
    label: str
    confidence: float
    place: Place | None
    """None where the model tells none."""


@dataclass(frozen=True, slots=True)
class ExportedTimeline:
    """Who is on screen when in one episode, and all that a format says of the episode."""

    name: str
    season: int | None
    """None where the name tells none."""
    path: str
    """Of the video file: absolute, or a URL where it lies on shared storage."""
    sha256: str
    model: str
    """NAME@VERSION."""
    time_base: Fraction
    """Seconds per pts."""
    start_pts: int
    end_pts: int
    frame_rate: Fraction
    rate_varies: bool
    missing: Sequence[PtsRange]
    """Half-open, ascending: what was not examined."""
    entries: Sequence[Entry]
    """By start, then label."""
    width: int
    """Of the whole picture, in pixels, turned as it is shown."""
    height: int
    picture_width: int
    """Of the active picture, in pixels; places are shares of it."""
    picture_height: int
    sampled_pts: Sequence[int] = ()
    """The frames that were looked at, ascending; none where no format asks for them."""
    sightings: Sequence[Sighting] = ()
    """Of the labels of the entries, by pts; none, too, where the ranges are an expression's."""
    names: Mapping[str, str] = field(default_factory=dict)
    """What people call labels."""
    shortest_chapter_seconds: Fraction = Fraction(0)
    """Stretches are joined to chapters that last at least so long."""

    def name_of(self, label: str) -> str:
        """What people call a label; itself, or what was asked, where there is no name."""
        return self.names.get(label, label)

    @property
    def url(self) -> str:
        """Of the video file."""
        return self.path if "://" in self.path else Path(self.path).as_uri()

    @property
    def has_places(self) -> bool:
        """Whether it is known of any sighting where it was."""
        return any(sighting.place is not None for sighting in self.sightings)

    def seconds(self, pts: int) -> Fraction:
        """Exact seconds from the episode's first frame."""
        return (pts - self.start_pts) * self.time_base

    def frame(self, pts: int) -> int:
        """The number of the frame that comes on screen at a pts, from 0.

        Raises:
            TimelineError: The frame rate varies, so that a number tells no time.
        """
        if self.rate_varies:
            raise TimelineError(
                f"{self.name}: its frame rate varies, which otio, edl and fcpxml cannot tell; "
                "export json, csv or vtt, or convert the video to a constant rate"
            )
        # Containers round times (Matroska to milliseconds); the number of the frame is whole.
        return round(self.seconds(pts) * self.frame_rate)


def smoothed(
    entries: Sequence[Entry],
    examined: Sequence[PtsRange],
    longest_gap_pts: Fraction,
    shortest_pts: Fraction,
) -> list[Entry]:
    """Entries, first with short gaps within a label filled, then without those that are short.

    Args:
        entries: by start, then label.
        examined: half-open ranges; a gap that lies not wholly in one of them is not filled.
        longest_gap_pts: gaps of at most this length are filled.
        shortest_pts: how long what is left lasts at least.
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
    """How a format's files end, and where the functions are that give what is in them."""

    suffix: str
    module: str
    of_one: str | None = None
    """Gives the text of one timeline; None where the other does for one as for several."""
    of_many: str | None = None
    """Gives the pieces of a file of several timelines; None where one file tells of one."""


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
"""By name. Modules are imported when they are asked for, and heavy libraries only then."""


def exported(timeline: ExportedTimeline, name: str) -> Iterator[bytes]:
    """What a file in the format with this name holds, piece by piece.

    Raises:
        TimelineError: The format cannot tell this timeline.
    """
    chosen = FORMATS[name]
    if chosen.of_one is None:
        return exported_together([timeline], name)
    text: str = _function(chosen.module, chosen.of_one)(timeline)
    return iter([text.encode()])


def exported_together(timelines: Iterable[ExportedTimeline], name: str) -> Iterator[bytes]:
    """What one file of several timelines holds, which are taken one at a time.

    Raises:
        TimelineError: what writes the format is not installed.
    """
    chosen = FORMATS[name]
    assert chosen.of_many is not None
    pieces: Iterator[str | bytes] = _function(chosen.module, chosen.of_many)(timelines)
    return (piece if isinstance(piece, bytes) else piece.encode() for piece in pieces)


def _function(module: str, name: str) -> Any:
    return getattr(import_module(module), name)
