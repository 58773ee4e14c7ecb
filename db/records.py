"""The values at the border of this package: checked and typed contents of rows."""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field, fields
from datetime import datetime
from fractions import Fraction
from typing import Self

from db.episode_names import UNNAMED, EpisodeName
from db.states import ChunkState, RunState
from exact.picture_area import PictureArea
from exact.place import Place
from exact.ranges import PtsRange, PtsRanges, union
from exact.verdicts import Verdict
from exact.video_file import VideoFile


@dataclass(frozen=True, kw_only=True)
class EpisodeRecord(VideoFile):
    """One video file, identified by the SHA-256 of its content."""

    uri: str
    area: PictureArea
    """The active picture area."""
    called: EpisodeName = UNNAMED
    """Its series, season, number and title."""
    id: int = 0
    """Id of the row; 0 until it is stored."""

    @classmethod
    def of(cls, file: VideoFile, *, uri: str, area: PictureArea) -> Self:
        """Return an episode that is not in the database yet."""
        described = {field.name: getattr(file, field.name) for field in fields(VideoFile)}
        return cls(**described, uri=uri, area=area, called=EpisodeName.told_by(uri))


@dataclass(frozen=True)
class ModelVersionRecord:
    """One immutable model version, identified by its SHA-256."""

    name: str
    version: str
    sha256: str
    labels: tuple[str, ...]
    preprocessing: str
    metrics: dict[str, object]
    created_at: datetime
    """Time of training."""
    names: Mapping[str, str] = field(default_factory=dict)
    """Display names of labels; only those that differ from the label."""


@dataclass(frozen=True)
class Claim:
    """The right to do one step of one chunk, until the lease ends or the token increases."""

    chunk_id: int
    run_id: int
    state: ChunkState
    """The state in which it was claimed: `queued` requests extraction, `extracted` tags."""
    token: int
    start_pts: int
    end_pts: int
    attempts: int
    losses: int


@dataclass(frozen=True)
class ExtractedChunk:
    """The result of a chunk's extraction; all pts in the episode's time base."""

    sampled_pts: tuple[int, ...]
    frames_decoded: int
    decode_errors: int
    missing: PtsRanges
    is_reused: bool = False
    """Whether its frames were already in the frame store: the counts are those of the run that
    decoded them."""
    cuts: str | None = None
    """First frames of shots, as JSON; None where they were not sought."""


@dataclass(frozen=True)
class TagRecord:
    """A stored prediction."""

    pts: int
    label: str
    region: str
    confidence: float
    seconds: float
    place: Place | None = None
    """Place; None where the network gave none, as in all runs before places existed."""


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
    """Whether a correction decided it, or one of its borders."""


@dataclass(frozen=True)
class CorrectionRecord:
    """A verdict on labels over a range of a content; it is immutable."""

    key: str
    """32 hexadecimal digits, the same in every database."""
    sha256: str
    """SHA-256 of the content."""
    verdict: Verdict
    label: str
    start_pts: int
    end_pts: int
    other: str | None
    """The correct label, if it is another one."""
    part: tuple[int, int] | None
    """The part of the range in which it is on screen, if not all of it."""
    supersedes: str | None
    """Key of the correction that is undone or contradicted."""
    author: str
    reason: str
    model: str | None
    """NAME@VERSION of the judged model, if there was one."""
    confidence: float | None
    """Confidence of the judged answer."""
    made_at: datetime


@dataclass(frozen=True)
class RunRecord:
    """A run of one model version over one episode with fixed parameters, and its progress."""

    id: int
    episode_id: int
    episode: str
    model: str
    """NAME@VERSION of the model."""
    model_sha256: str
    params: str
    state: RunState
    chunks_total: int
    chunks_done: int
    frames: int
    decode_errors: int
    missing: PtsRanges
    error: str | None
    part: PtsRange | None
    """What it examines of the episode; None for the whole."""
    time_base: Fraction
    start_pts: int
    """Of the episode, as the end."""
    end_pts: int
    duration_seconds: float
    queued_at: datetime
    started_at: datetime | None
    ended_at: datetime | None
    is_current: bool
    claimed: int
    """Number of its chunks that are claimed now."""
    frames_decoded: int
    """Number of frames decoded for it, without those already in the frame store."""

    @property
    def is_open(self) -> bool:
        """Whether work is still to be done."""
        return self.state.is_open

    @property
    def examined(self) -> PtsRange:
        """What it was to examine: missing ranges may lie in there."""
        return self.part or (self.start_pts, self.end_pts)

    @property
    def unexamined(self) -> PtsRanges:
        """What of the episode nobody looked at: missing, or outside the part."""
        start, end = self.examined
        return union([(self.start_pts, start), *self.missing, (end, self.end_pts)])

    @property
    def examined_seconds(self) -> tuple[float, float]:
        """The examined range as seconds from the start of the episode."""
        [examined] = self._seconds([self.examined])
        return examined

    @property
    def missing_seconds(self) -> tuple[tuple[float, float], ...]:
        """The missing ranges in seconds from the start of the episode."""
        return self._seconds(self.missing)

    @property
    def unexamined_seconds(self) -> tuple[tuple[float, float], ...]:
        """The unexamined ranges in seconds from the start of the episode."""
        return self._seconds(self.unexamined)

    def _seconds(self, ranges: Iterable[PtsRange]) -> tuple[tuple[float, float], ...]:
        return tuple(
            (
                float((start - self.start_pts) * self.time_base),
                float((end - self.start_pts) * self.time_base),
            )
            for start, end in ranges
        )
