"""Stills of one grey each, which names them whatever becomes of their size."""

from collections.abc import Sequence

import numpy as np
from numpy.typing import NDArray

from model.dataset.stills import Stills
from model.pictures.preprocess import TASK, Preprocessing


def grey_of(number: int) -> int:
    """100, 110, 120... for still 0, 1, 2..."""
    return 100 + 10 * number


def grey_stills(
    sizes: Sequence[tuple[int, int]],
    labels: Sequence[str] | None = None,
    rule: Preprocessing = TASK,
) -> Stills:
    """One label per still.

    Args:
        sizes: height and width of each still in pixels.
        labels: their names; default `label_0`, `label_1`...
        rule: to whose canvas they are fitted.
    """
    names = labels or [f"label_{number}" for number in range(len(sizes))]
    pictures = (
        (np.full((*size, 3), grey_of(number), np.uint8), number)
        for number, size in enumerate(sizes)
    )
    return Stills.from_pictures(tuple(names), pictures, rule)


def greys(picture: NDArray[np.uint8]) -> set[int]:
    """The values in a picture other than black."""
    return set(np.unique(picture).tolist()) - {0}
