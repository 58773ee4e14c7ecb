"""Who a still of a dataset shows, and where, as training takes it."""

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

NO_BOXES = np.zeros((0, 5), np.float32)
"""Of a still that has none."""


@dataclass(frozen=True)
class Shown:
    """The labels of a still, by their numbers."""

    label_number: int
    """The main one."""
    label_set: tuple[int, ...]
    """All, ascending."""
    boxes: NDArray[np.float32]
    """(n, 5): label number, left, top, right, bottom; these as shares of width and height."""
    all_boxed: bool
    """Whether everybody of the dataset's labels in it has a box."""

    @classmethod
    def alone(cls, label_number: int) -> "Shown":
        """Return what is known of a still that has a label and nothing else."""
        return cls(label_number, (label_number,), NO_BOXES, all_boxed=False)
