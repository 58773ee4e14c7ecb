"""The labels and boxes of a still in a dataset, as training uses them."""

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

NO_BOXES = np.zeros((0, 5), np.float32)
"""The boxes of a still that has none."""


@dataclass(frozen=True)
class Annotation:
    """The labels of a still, by their numbers, and its boxes."""

    label_number: int
    """The main label."""
    label_set: tuple[int, ...]
    """All labels, ascending."""
    boxes: NDArray[np.float32]
    """(n, 5): label number, left, top, right, bottom; the latter as shares of width and height."""
    all_boxed: bool
    """Whether everybody with a label of the dataset in it has a box."""

    @classmethod
    def alone(cls, label_number: int) -> "Annotation":
        """Return the value for a still with one label and no boxes."""
        return cls(label_number, (label_number,), NO_BOXES, all_boxed=False)
