"""The values that cross the border of this package: what rows hold, checked and typed."""

import re
from collections.abc import Mapping
from dataclasses import dataclass, field, fields
from datetime import datetime
from fractions import Fraction
from typing import NamedTuple, Self

from db.states import ChunkState, RunState
from exact.picture_area import PictureArea
from exact.ranges import PtsRanges
from exact.verdicts import Verdict
from exact.video_file import VideoFile

_SEASON = re.compile(r"(?<![a-z0-9])s([0-9]{1,3})[ ._-]?e[0-9]", re.IGNORECASE)
"""`S05E12` as files of series are named, not as a part of a word."""


@dataclass(frozen=True, kw_only=True)
class EpisodeRecord(VideoFile):
    """One video file, known by the SHA-256 of its content."""

    uri: str
    area: PictureArea
    """The active picture."""
    id: int = 0
    """0 until the database has given it a number."""

    @classmethod
    def of(cls, file: VideoFile, *, uri: str, area: PictureArea) -> Self:
        """An episode that the database has not seen yet."""
        described = {field.name: getattr(file, field.name) for field in fields(VideoFile)}
        return cls(**described, uri=uri, area=area)

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
    state: ChunkState
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
    missing: PtsRanges
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
    verdict: Verdict
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
    state: RunState
    chunks_total: int
    chunks_done: int
    frames: int
    decode_errors: int
    missing: PtsRanges
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
        return self.state.is_open

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
