"""The two steps of a chunk."""

from enum import StrEnum

from db.states import ChunkState


class Step(StrEnum):
    """What workers can be for: extraction needs cores, classification a GPU or some cores."""

    EXTRACT = "extract"
    CLASSIFY = "classify"

    @property
    def takes(self) -> ChunkState:
        """The state of the chunks that it takes."""
        return ChunkState.QUEUED if self is Step.EXTRACT else ChunkState.EXTRACTED

    @classmethod
    def of(cls, state: ChunkState) -> "Step":
        """The step that takes chunks in this state.

        Raises:
            ValueError: None does.
        """
        for step in cls:
            if step.takes == state:
                return step
        raise ValueError(f"no step takes chunks that are {state}")
