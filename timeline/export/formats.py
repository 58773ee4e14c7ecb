"""The formats in which a timeline is exported, and the data they are made from."""

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
    missing: Sequence[PtsRange]
    """Half-open ranges that were not examined, ascending."""
    entries: Sequence[Entry]
    """Ranges by start, then label."""
    picture_width: int
    """Width of the active picture in pixels; places are shares of it."""
    picture_height: int
    sampled_pts: Sequence[int]
    """The frames that were looked at, ascending."""
    sightings: Sequence[Sighting]
    """Of the labels of the entries, by pts; none where the ranges are those of an expression."""
    names: Mapping[str, str] = field(default_factory=dict)
    """Display names by label."""

    def name_of(self, label: str) -> str:
        """Return the display name of a label, or the label or expression itself without one."""
        return self.names.get(label, label)

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
"""Formats by name. Modules are imported on use, and heavy libraries only then."""


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
