"""The values that cross the border of this package: what rows hold, checked and typed."""

import json
import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from fractions import Fraction
from typing import NamedTuple

_SEASON = re.compile(r"(?<![a-z0-9])s([0-9]{1,3})[ ._-]?e[0-9]", re.IGNORECASE)
"""`S05E12` as files of series are named, not as a part of a word."""

Ranges = tuple[tuple[int, int], ...]
"""Half-open [start_pts, end_pts), ascending."""


@dataclass(frozen=True)
class EpisodeRecord:
    """One video file, known by the SHA-256 of its content."""

    sha256: str
    name: str
    uri: str
    size_bytes: int
    file_stamp: str
    """By which the file is known to hold this content still; empty where nothing tells."""
    container: str
    codec: str
    pixel_format: str
    width: int
    height: int
    rotation: int
    """Degrees counter-clockwise by which the picture is turned for display."""
    sample_aspect_ratio: Fraction
    lag_pts: int | None
    """What to add to decoding times to get display times; None where the file states those."""
    frame_rate: Fraction
    rate_varies: bool
    time_base: Fraction
    start_pts: int
    end_pts: int
    area: tuple[int, int, int, int]
    """x, y, width, height of the active picture, in pixels."""
    key_pts: tuple[int, ...]
    missing: Ranges
    id: int = 0
    """0 until the database has given it a number."""

    def __post_init__(self) -> None:
        if len(self.sha256) != 64:
            raise ValueError(f"sha256 has 64 hexadecimal digits, received {self.sha256!r}")
        if self.end_pts <= self.start_pts:
            raise ValueError(f"an episode ends after it starts: {self.start_pts}, {self.end_pts}")

    @property
    def duration_seconds(self) -> Fraction:
        """From the first frame's pts to the end of the last frame's display."""
        return (self.end_pts - self.start_pts) * self.time_base

    @property
    def season(self) -> int | None:
        """As the name tells it; None where it tells none."""
        return season_of(self.name)


@dataclass(frozen=True)
class ModelVersionRecord:
    """One immutable model version, known by its SHA-256."""

    name: str
    version: str
    sha256: str
    labels: tuple[str, ...]
    preprocessing: str
    metrics: dict[str, object]
    created_at: datetime
    """When it was trained; a run of a newer version is never replaced by one of an older."""
    names: Mapping[str, str] = field(default_factory=dict)
    """Of labels, as people wrote them; none of labels that are written as they are."""


@dataclass(frozen=True)
class Claim:
    """The right to do one step of one chunk, until the lease ends or the token moves on."""

    chunk_id: int
    run_id: int
    state: str
    """The state it was claimed in: `queued` asks for extraction, `extracted` for tags."""
    token: int
    start_pts: int
    end_pts: int
    attempts: int
    losses: int


@dataclass(frozen=True)
class ExtractedChunk:
    """What extraction says of a chunk; all pts in the episode's time base."""

    sampled_pts: tuple[int, ...]
    frames_decoded: int
    decode_errors: int
    missing: Ranges
    is_reused: bool = False
    """Its frames lay in the frame store: the counts are those of the run that decoded them."""
    cuts: str | None = None
    """Where shots begin, as JSON; None where nobody looked."""


class PlaceRecord(NamedTuple):
    """Where in the active picture a label was seen: centre and extent, as shares of it."""

    x: float
    """Of the centre, from the left edge (0) to the right (1)."""
    y: float
    """Of the centre, from the upper edge (0) to the lower (1)."""
    width: float
    height: float


@dataclass(frozen=True)
class TagRecord:
    """A stored prediction."""

    pts: int
    label: str
    region: str
    confidence: float
    seconds: float
    place: PlaceRecord | None = None
    """None where the network told none, as in all runs before there were places."""


@dataclass(frozen=True)
class AppearanceRecord:
    """A label over a half-open time range; its fields are the columns."""

    label: str
    start_pts: int
    end_pts: int
    start_seconds: float
    end_seconds: float
    frames: int
    mean_confidence: float
    max_confidence: float
    is_corrected: bool = False
    """Whether a person's word decided it, or one of its borders."""


@dataclass(frozen=True)
class CorrectionRecord:
    """What a person said of labels over a range of a content; it is never changed."""

    key: str
    """32 hexadecimal digits, the same in every database."""
    sha256: str
    """Of the content."""
    verdict: str
    label: str
    start_pts: int
    end_pts: int
    other: str | None
    """Who it is, where it is another one."""
    part: tuple[int, int] | None
    """Where in the range it is on screen, if not in all of it."""
    supersedes: str | None
    """The key of what is undone, or of what this contradicts."""
    author: str
    reason: str
    model: str | None
    """NAME@VERSION of whose answer was judged, if there was one."""
    confidence: float | None
    """How sure that was."""
    made_at: datetime


@dataclass(frozen=True)
class RunRecord:
    """One model version over one episode with fixed parameters, and how far it came."""

    id: int
    episode_id: int
    episode: str
    model: str
    """NAME@VERSION."""
    model_sha256: str
    params: str
    state: str
    chunks_total: int
    chunks_done: int
    frames: int
    decode_errors: int
    missing: Ranges
    error: str | None
    time_base: Fraction
    start_pts: int
    duration_seconds: float
    queued_at: datetime
    started_at: datetime | None
    ended_at: datetime | None
    is_current: bool
    claimed: int
    """How many of its chunks somebody works on now."""
    frames_decoded: int
    """How many frames of the episode file were decoded for it: none of what the frame store had."""

    @property
    def is_open(self) -> bool:
        """Whether work is still to be done."""
        return self.state in ("queued", "running")

    @property
    def missing_seconds(self) -> tuple[tuple[float, float], ...]:
        """The missing ranges as seconds from the start of the episode."""
        return tuple(
            (
                float((start - self.start_pts) * self.time_base),
                float((end - self.start_pts) * self.time_base),
            )
            for start, end in self.missing
        )


def season_of(name: str) -> int | None:
    """The season that an episode's name tells (`S05E12`), None if it tells none."""
    found = _SEASON.search(name)
    return int(found[1]) if found else None


def dump_ranges(ranges: Sequence[tuple[int, int]]) -> str:
    """Ranges as the JSON that a column holds."""
    return json.dumps([list(item) for item in ranges], separators=(",", ":"))


def load_ranges(text: str) -> Ranges:
    """The ranges that a column holds."""
    return tuple((int(start), int(end)) for start, end in json.loads(text))


def merge_ranges(ranges: Sequence[tuple[int, int]]) -> Ranges:
    """Ascending ranges without overlap; ranges that touch become one."""
    merged: list[tuple[int, int]] = []
    for start, end in sorted(ranges):
        if merged and start <= merged[-1][1]:
            merged[-1] = (merged[-1][0], max(end, merged[-1][1]))
        else:
            merged.append((start, end))
    return tuple(merged)
