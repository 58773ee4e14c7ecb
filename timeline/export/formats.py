"""A timeline in the formats that other tools read: which there are, and what they are made of."""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from fractions import Fraction
from importlib import import_module
from typing import NamedTuple

from exact.place import Place
from exact.ranges import PtsRange
from timeline.errors import TimelineError


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
    picture_width: int
    """Of the active picture, in pixels; places are shares of it."""
    picture_height: int
    sampled_pts: Sequence[int]
    """The frames that were looked at, ascending."""
    sightings: Sequence[Sighting]
    """Of the labels of the entries, by pts; none where the ranges are those of an expression."""
    names: Mapping[str, str] = field(default_factory=dict)
    """What people call labels."""

    def name_of(self, label: str) -> str:
        """What people call a label; itself, or what was asked, where there is no name."""
        return self.names.get(label, label)

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


class Format(NamedTuple):
    """How a format's files end, and where the function is that gives their text."""

    suffix: str
    module: str
    function: str


FORMATS = {
    "json": Format(".json", "timeline.export.text", "json_text"),
    "csv": Format(".csv", "timeline.export.text", "csv_text"),
    "vtt": Format(".vtt", "timeline.export.text", "vtt_text"),
    "srt": Format(".srt", "timeline.export.text", "srt_text"),
    "rttm": Format(".rttm", "timeline.export.text", "rttm_text"),
    "chapters": Format(".chapters.txt", "timeline.export.text", "chapters_text"),
    "otio": Format(".otio", "timeline.export.edits", "otio_text"),
    "edl": Format(".edl", "timeline.export.edits", "edl_text"),
    "fcpxml": Format(".xml", "timeline.export.edits", "fcpxml_text"),
    "html": Format(".html", "timeline.export.page", "html_text"),
    "coco": Format(".coco.json", "timeline.export.coco", "coco_text"),
}
"""By name. Modules are imported when they are asked for, and heavy libraries only then."""


def export_text(timeline: ExportedTimeline, name: str) -> str:
    """The text of a file in the format with this name.

    Raises:
        TimelineError: The format cannot tell this timeline.
    """
    chosen = FORMATS[name]
    write: Callable[[ExportedTimeline], str] = getattr(
        import_module(chosen.module), chosen.function
    )
    return write(timeline)
