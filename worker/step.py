"""The two steps of a chunk."""

from enum import StrEnum

from db.states import ChunkState


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
