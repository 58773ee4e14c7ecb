"""The enumerations stored in rows; a value outside of them is an error."""

from enum import StrEnum
from typing import Final


class RunState(StrEnum):
    """The state of a run."""

    QUEUED = "queued"
    RUNNING = "running"
    DONE = "done"
    PARTIAL = "partial"
    """It ended, with missing ranges."""
    FAILED = "failed"
    CANCELLED = "cancelled"

    @property
    def is_open(self) -> bool:
        """Whether work is still to be done."""
        return self in OPEN_RUN_STATES

    @property
    def has_ended_well(self) -> bool:
        """Whether queries can be answered from it, at least in part."""
        return self in ENDED_RUN_STATES


OPEN_RUN_STATES: Final = (RunState.QUEUED, RunState.RUNNING)
ENDED_RUN_STATES: Final = (RunState.DONE, RunState.PARTIAL)


class ChunkState(StrEnum):
    """The state of a chunk."""

    QUEUED = "queued"
    """It waits for extraction."""
    EXTRACTED = "extracted"
    """It waits for tags."""
    TAGGED = "tagged"
    QUARANTINED = "quarantined"
    """It failed too often and was given up."""


OPEN_CHUNK_STATES: Final = (ChunkState.QUEUED, ChunkState.EXTRACTED)


class Step(StrEnum):
    """The steps of a chunk: extraction needs cores, classification a GPU or some cores."""

    EXTRACT = "extract"
    CLASSIFY = "classify"

    @property
    def takes(self) -> ChunkState:
        """The state of the chunks that this step works on."""
        return ChunkState.QUEUED if self is Step.EXTRACT else ChunkState.EXTRACTED

    @classmethod
    def of(cls, state: ChunkState) -> "Step":
        """Return the step for chunks in this state.

        Raises:
            ValueError: There is none.
        """
        for step in cls:
            if step.takes == state:
                return step
        raise ValueError(f"no step takes chunks that are {state}")


class Lane(StrEnum):
    """The lanes in order of priority, at every step."""

    INTERACTIVE = "interactive"
    BULK = "bulk"


class Outcome(StrEnum):
    """The outcome for a chunk whose attempt failed."""

    OFFERED = "offered"
    SPLIT = "split"
    QUARANTINED = "quarantined"
    NOT_HELD = "not held"
    """Another claim was made in between."""


class Statistic(StrEnum):
    """The statistics of work on a run."""

    DECODE = "decode"
    """Seconds spent by the decoder."""
    READ = "read"
    """Seconds spent waiting for frames from the frame store; they are read ahead."""
    DEVICE = "device"
    """Seconds spent by the network, including preprocessing."""
    DATABASE = "database"
    """Seconds spent with claims and rows."""
    FRAMES = "frames"
    """Frames classified."""
    PLACES = "places"
    """Places for frames in the batches classified."""


STAGES: Final = (Statistic.DECODE, Statistic.READ, Statistic.DEVICE, Statistic.DATABASE)
"""The statistics that are durations."""
