"""Runs, as they are shown and followed."""

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
    """A part of an episode that was given up, and why."""

    start_seconds: float
    end_seconds: float
    attempts: int
    error: str


@dataclass(frozen=True)
class Run(Row):
    """One model version over one episode with fixed parameters, and how far it came."""

    id: int
    episode: str
    model: str
    """NAME@VERSION."""
    model_sha256: str
    every_seconds: Fraction
    """Between two looks."""
    state: RunState
    is_current: bool
    """Whether questions are answered from it."""
    is_at_work: bool
    """Whether somebody works on it now."""
    chunks_done: int
    chunks_total: int
    frames: int
    """Sampled from the episode."""
    frames_decoded: int
    """Of the episode file for this run: none of what the frame store had."""
    decode_errors: int
    statistics: RunStatistics
    """What all processes spent on it."""
    missing_seconds: tuple[tuple[float, float], ...]
    """Ranges that could not be examined."""
    error: str | None
    queued_at: datetime
    started_at: datetime | None
    ended_at: datetime | None
    quarantined: tuple[Quarantined, ...]

    @property
    def is_open(self) -> bool:
        """Whether work is still to be done."""
        return self.state.is_open

    @property
    def has_ended_well(self) -> bool:
        """Whether questions can be answered from it, if in part."""
        return self.state.has_ended_well

    def to_dict(self) -> dict[str, Any]:
        """Returns its fields by name, as JSON takes them."""
        values = super().to_dict()
        del values["statistics"]
        return values | {
            "run": values["id"],
            "seconds": seconds_by_stage(self.statistics),
            "bottleneck": self.statistics.bottleneck,
            "batch_fill": plain(self.statistics.batch_fill),
        }


def seconds_by_stage(statistics: RunStatistics) -> dict[str, float]:
    """What time was spent on: decode, read, device, database."""
    return {stage.value: getattr(statistics, stage) for stage in STAGES}


RUN_COLUMNS = (
    *("run", "episode", "model", "state", "is_current", "chunks_done", "chunks_total"),
    *("frames", "frames_decoded", "decode_errors", "seconds", "bottleneck", "batch_fill"),
    *("missing_seconds", "error", "queued_at", "started_at", "ended_at", "quarantined"),
)


@dataclass(frozen=True, repr=False)
class Tagged(Table[Run]):
    """The runs of episodes that were tagged, here and now or before."""

    refused: int = 0
    """How many files could not be used."""
    seconds: float | None = None
    """How long the work took; None where nothing was left to do."""


@dataclass(frozen=True)
class Enqueued:
    """A file that is in the queue."""

    source: str
    """The file or URL, as it was named."""
    run_id: int
    episode: str
    """As the library calls the file's content: the name it had at first."""
    state: RunState
    """Of the run."""
    is_new: bool
    """Whether the run was made just now."""


@dataclass(frozen=True)
class Queue:
    """What became of files that were to be enqueued."""

    enqueued: tuple[Enqueued, ...]
    refused: int
    """How many files could not be used."""
    skipped: int
    """How many were passed over in folders."""
    broker_error: BrokerError | None
    """Why workers were not told; they are by the next worker that starts."""


@dataclass(frozen=True, repr=False)
class Worked(Table[Run]):
    """The runs that ended while a worker was at work."""

    exit_code: int = 0
    """Of a worker's processes; 0 is well."""


@dataclass(frozen=True)
class RunProgress:
    """How far a run under way is."""

    run_id: int
    episode: str
    frames: float
    """Extracted so far."""
    frames_total: float


Stopping: TypeAlias = Callable[[Callable[[], None]], AbstractContextManager[None]]
"""Takes the function that makes work end soon; what it returns is entered while work goes on."""


@dataclass(frozen=True)
class Hooks:
    """What is called while work goes on."""

    on_progress: Callable[[Sequence[RunProgress]], None] | None = None
    """Told a few times a second how far the runs are."""
    on_refused: Callable[[CastlineError], None] | None = None
    """Told of each file that cannot be used; without it, the first such error is raised."""
    reading: Callable[[str], AbstractContextManager[None]] | None = None
    """Makes what is entered while a file is read through, which takes seconds for a large one."""
    stopping: Stopping | None = None
    """Lets work be stopped; without it, KeyboardInterrupt does."""


NO_HOOKS = Hooks()
