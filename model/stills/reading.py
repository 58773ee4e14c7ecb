"""One still from its file to what is kept of it; the same for every use of stills."""

import hashlib
from dataclasses import dataclass
from pathlib import Path
from typing import Final

import numpy as np
from numpy.typing import NDArray

from model.errors import StillsError
from model.pictures.files import read_picture
from model.pictures.near_duplicates import difference_hash
from model.pictures.preprocess import resize

STORED_SIDE: Final = 320
"""Longest side in pixels of what is kept: in a whole frame of 320 px a small figure's head has 20,
in one of 176 px hardly 11, and networks look at frames of up to 352x256."""

_MAX_FILE_BYTES: Final = 200_000_000  # an 8K picture (33 Mpx) without any compression has 133 MB


@dataclass(frozen=True)
class ReadStill:
    """What is kept of a still."""

    sha256: str
    """Of the file's content."""
    difference_hash: NDArray[np.uint64]
    """(4,) words, of the picture as it came."""
    picture: NDArray[np.uint8]
    """(height, width, 3) RGB, shrunk so that no side exceeds STORED_SIDE; never enlarged."""


def read_still(path: Path) -> ReadStill:
    """Read a still.

    Raises:
        StillsError: it is no picture, damaged, too large, or cannot be opened; the line does not
            name the file.
    """
    try:
        if not path.is_file():
            raise StillsError("not a regular file")
        if path.stat().st_size > _MAX_FILE_BYTES:
            raise StillsError(f"more than {_MAX_FILE_BYTES // 1_000_000} MB: no still")
        content = path.read_bytes()
    except OSError as error:
        raise StillsError(f"cannot be opened ({error.strerror})") from error
    picture = read_picture(content)
    return ReadStill(
        hashlib.sha256(content).hexdigest(), difference_hash(picture), _shrunk(picture)
    )


def _shrunk(picture: NDArray[np.uint8]) -> NDArray[np.uint8]:
    height, width = picture.shape[:2]
    longest = max(height, width)
    if longest <= STORED_SIDE:
        return picture
    # rounded half up, never less than a pixel
    sides = [
        max(1, (2 * side * STORED_SIDE + longest) // (2 * longest)) for side in (height, width)
    ]
    return resize(picture, *sides)
