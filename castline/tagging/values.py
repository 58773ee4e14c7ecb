"""Public values that describe runs and their progress."""

from collections.abc import Callable, Sequence
from contextlib import AbstractContextManager
from dataclasses import dataclass
from datetime import datetime
from fractions import Fraction
from typing import Any, TypeAlias

from castline.errors import BrokerError, CastlineError
from castline.tables import Row, Table, plain
from db.queue.statistics import RunStatistics
from db.states import STAGES, RunState


@dataclass(frozen=True)
class Quarantined(Row):
    """A chunk of an episode that was given up (a dead letter), and why."""

    start_seconds: float
    """Seconds from the episode's first frame."""
    end_seconds: float
    """Half-open end."""
    attempts: int
    """Number of failed attempts."""
    error: str
    """The last error."""


@dataclass(frozen=True)
class Run(Row):
    """A run of one model version over one episode with fixed parameters, and its progress."""

    id: int
    """Number of the run."""
    episode: str
    """Name of the episode."""
    episode_id: int
    """Number of the episode in this library."""
    model: str
    """NAME@VERSION of the model."""
    model_sha256: str
    """SHA-256 of the model version."""
    every_seconds: Fraction
    """Sampling interval."""
    state: RunState
    """State: queued, running, done, partial, failed or cancelled."""
    is_current: bool
    """Whether questions are answered from this run."""
    is_at_work: bool
    """Whether a worker is working on it now."""
    lacks: tuple[str, ...]
    """Of an unfinished run, the steps (extract, classify) that no living worker does, now or when
    it is the run's turn."""
    chunks_done: int
    """Number of finished chunks."""
    chunks_total: int
    """Number of all chunks."""
    frames: int
    """Number of frames sampled from the episode."""
    frames_decoded: int
    """Number of frames decoded for this run, without those already in the frame store."""
    decode_errors: int
    """Number of damaged packets and frames."""
    statistics: RunStatistics
    """Time that all processes spent on it."""
    examined_seconds: tuple[float, float]
    """The examined range: a part of the episode, or the whole."""
    is_part: bool
    """Whether that is a part."""
    missing_seconds: tuple[tuple[float, float], ...]
    """Ranges that could not be examined of that."""
    error: str | None
    """The error of a failed or partial run."""
    queued_at: datetime
    """Time at which it was put into the queue."""
    started_at: datetime | None
    """Time of the first claim; None before."""
    ended_at: datetime | None
    """Time at which it ended; None before."""
    quarantined: tuple[Quarantined, ...]
    """The chunks that were given up."""

    @property
    def is_open(self) -> bool:
        """Whether work is still to be done."""
        return self.state.is_open

    @property
    def has_ended_well(self) -> bool:
        """Whether questions can be answered from it, at least in part."""
        return self.state.has_ended_well

    def to_dict(self) -> dict[str, Any]:
        """Return the fields by name, as plain values for JSON."""
        values = super().to_dict()
        del values["statistics"]
        return values | {
            "run": values["id"],
            "seconds": seconds_by_stage(self.statistics),
            "bottleneck": self.statistics.bottleneck,
            "batch_fill": plain(self.statistics.batch_fill),
        }


def seconds_by_stage(statistics: RunStatistics) -> dict[str, float]:
    """Return the seconds spent per stage: decode, read, device, database."""
    return {stage.value: getattr(statistics, stage) for stage in STAGES}


@dataclass(frozen=True)
class Worker(Row):
    """A process that works on the queue, and was heard of lately."""

    host: str
    pid: int
    steps: tuple[str, ...]
    """What it does to chunks: extract, classify."""
    run_ids: tuple[int, ...] | None
    """The only runs that it works on, as `castline tag` does; None for any."""


RUN_COLUMNS = (
    *("run", "episode", "episode_id", "model", "state", "is_current", "is_at_work", "lacks"),
    *("chunks_done", "chunks_total"),
    *("frames", "frames_decoded", "decode_errors", "seconds", "bottleneck", "batch_fill"),
    *(
        "examined_seconds",
        "missing_seconds",
        "error",
        "queued_at",
        "started_at",
        "ended_at",
        "quarantined",
    ),
)


@dataclass(frozen=True, repr=False)
class Tagged(Table[Run]):
    """The runs of tagged episodes, new or existing ones."""

    refused: int = 0
    """Number of files that could not be used."""
    seconds: float | None = None
    """Duration of the work; None where nothing was left to do."""
    shown: tuple[str, ...] = ()
    """Lines about current runs that changed, or that are not the requested ones."""


@dataclass(frozen=True)
class Enqueued:
    """A file in the queue."""

    source: str
    """The file or URL as it was given."""
    run_id: int
    """Number of the run."""
    episode: str
    """Name of the episode in the library."""
    state: RunState
    """State of the run."""
    is_new: bool
    """Whether the run was just created."""


@dataclass(frozen=True)
class Queue:
    """The result of enqueuing files."""

    enqueued: tuple[Enqueued, ...]
    """The enqueued files."""
    refused: int
    """Number of files that could not be used."""
    skipped: int
    """Number of files in folders that were skipped."""
    broker_error: BrokerError | None
    """Why workers were not notified; the next worker to start notifies them."""
    shown: tuple[str, ...] = ()
    """Lines about current runs that changed, or that are not the requested ones."""


@dataclass(frozen=True, repr=False)
class Worked(Table[Run]):
    """The runs that ended while a worker was running."""

    exit_code: int = 0
    """Exit code of the worker processes; 0 is success."""
    shown: tuple[str, ...] = ()
    """Lines about current runs that changed, or that are not the ended ones."""


@dataclass(frozen=True)
class RunProgress:
    """The progress of an open run."""

    run_id: int
    """Number of the run."""
    episode: str
    """Name of the episode."""
    frames: float
    """Number of frames extracted so far."""
    frames_total: float
    """Estimated number of all frames."""


Stopping: TypeAlias = Callable[[Callable[[], None]], AbstractContextManager[None]]
"""Takes a function that makes the work end soon; returns a context manager for the duration of the
work."""


@dataclass(frozen=True)
class Moved:
    """An episode whose file was found in another place, or under another name, than before."""

    episode: str
    """As it is called now."""
    old_path: str
    path: str


@dataclass(frozen=True)
class Hooks:
    """Callbacks during the work."""

    on_progress: Callable[[Sequence[RunProgress]], None] | None = None
    """Called a few times a second with the progress of the runs."""
    on_refused: Callable[[CastlineError], None] | None = None
    """Called with the error of each unusable file; without it, the first such error is raised."""
    on_moved: Callable[[Moved], None] = lambda _: None
    """Called for each episode whose file was found at another path than before."""
    reading: Callable[[str], AbstractContextManager[None]] | None = None
    """Returns a context manager for the time in which a file is read, seconds for a large one."""
    stopping: Stopping | None = None
    """Allows the work to be stopped; without it, KeyboardInterrupt does."""

    def refuse(self, error: CastlineError) -> None:
        """Tells of what cannot be used, or raises that."""
        if self.on_refused is None:
            raise error
        self.on_refused(error)


NO_HOOKS = Hooks()
