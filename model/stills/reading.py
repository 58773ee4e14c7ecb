"""Read one still from its file and prepare it for storage, the same way for all purposes."""

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
"""Longest side in pixels of a stored picture: in a whole frame of 320 px a small figure's head has
20, in one of 176 px hardly 11, and networks see frames of up to 352x256."""

_MAX_FILE_BYTES: Final = 200_000_000  # an uncompressed 8K picture (33 Mpx) has 133 MB


@dataclass(frozen=True)
class ReadStill:
    """The stored data of a still."""

    sha256: str
    """SHA-256 of the file's content."""
    difference_hash: NDArray[np.uint64]
    """(4,) words, of the picture before resizing."""
    picture: NDArray[np.uint8]
    """(height, width, 3) RGB, shrunk so that no side exceeds STORED_SIDE; never enlarged."""


def read_still(path: Path) -> ReadStill:
    """Read a still.

    Raises:
        StillsError: The file is not a picture, damaged, too large, or cannot be opened; the message
            does not name the file.
    """
    try:
        if not path.is_file():
            raise StillsError("not a regular file")
        if path.stat().st_size > _MAX_FILE_BYTES:
            raise StillsError(f"more than {_MAX_FILE_BYTES // 1_000_000} MB: not a still")
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
