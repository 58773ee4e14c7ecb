"""The closed sets of words that rows hold; a word that is not in its set is an error."""

from enum import StrEnum
from typing import Final


class RunState(StrEnum):
    """How far a run is."""

    QUEUED = "queued"
    RUNNING = "running"
    DONE = "done"
    PARTIAL = "partial"
    """It ended, and says which times are missing."""
    FAILED = "failed"
    CANCELLED = "cancelled"

    @property
    def is_open(self) -> bool:
        """Whether work is still to be done."""
        return self in OPEN_RUN_STATES

    @property
    def has_ended_well(self) -> bool:
        """Whether queries can be answered from it, if in part."""
        return self in ENDED_RUN_STATES


OPEN_RUN_STATES: Final = (RunState.QUEUED, RunState.RUNNING)
ENDED_RUN_STATES: Final = (RunState.DONE, RunState.PARTIAL)


class ChunkState(StrEnum):
    """How far a chunk is."""

    QUEUED = "queued"
    """It asks for extraction."""
    EXTRACTED = "extracted"
    """It asks for tags."""
    TAGGED = "tagged"
    QUARANTINED = "quarantined"
    """It failed too often and was given up."""


OPEN_CHUNK_STATES: Final = (ChunkState.QUEUED, ChunkState.EXTRACTED)


class Lane(StrEnum):
    """What goes first, in this order, at every step."""

    INTERACTIVE = "interactive"
    BULK = "bulk"


class Outcome(StrEnum):
    """What became of a chunk whose attempt failed."""

    OFFERED = "offered"
    SPLIT = "split"
    QUARANTINED = "quarantined"
    NOT_HELD = "not held"
    """Another claim came in between."""


class Statistic(StrEnum):
    """What is added up of the work on a run."""

    DECODE = "decode"
    """Seconds with the decoder."""
    READ = "read"
    """Seconds of waiting for frames from the frame store; they are read ahead."""
    DEVICE = "device"
    """Seconds with the network, preprocessing included."""
    DATABASE = "database"
    """Seconds with claims and rows."""
    FRAMES = "frames"
    """Frames classified."""
    PLACES = "places"
    """Places for frames in the batches classified."""


STAGES: Final = (Statistic.DECODE, Statistic.READ, Statistic.DEVICE, Statistic.DATABASE)
"""What time is spent on."""
