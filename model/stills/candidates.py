"""Stills that were read."""

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from model.stills.files import StillFile
from model.stills.reading import STORED_SIDE


@dataclass(frozen=True)
class Candidate:
    """A still that was read."""

    file: StillFile
    """The file, with its label and boxes."""
    sha256: str
    """Of the file's content, as hexadecimal digits."""
    difference_hash: NDArray[np.uint64]
    """(4,) words."""
    size: tuple[int, int] = (STORED_SIDE, STORED_SIDE)
    """Height and width in pixels of the stored picture."""
