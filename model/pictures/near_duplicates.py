"""Detect near-duplicates: difference hashes of pictures, and groups of close ones.

Stills of one scene often come in nearly identical pairs: about a fifth of the stills of the
original dataset have such a sibling. A split that separates siblings lets a network pass its test
from memory.
"""

from typing import Final

import cv2
import numpy as np
from numpy.typing import NDArray

from model.pictures.preprocess import resize

MAX_DISTANCE_BITS: Final = 24
"""Greatest distance of near-duplicates' hashes, at which those siblings were counted."""

_SIDE: Final = 16  # 16 rows of 16 comparisons are 256 bits
_BLOCK_ROWS: Final = 256  # compared with all others together: 256 x 30,000 x 8 bytes are 61 MB


def difference_hash(picture: NDArray[np.uint8]) -> NDArray[np.uint64]:
    """Return the 256-bit difference hash of a picture (height, width, 3), as 4 words.

    Each bit tells whether a pixel of the picture, shrunk to 16 rows of 17 grey pixels, is darker
    than its right neighbour (N. Krawetz, "Kind of like that", 2013).
    """
    grey = cv2.cvtColor(resize(picture, _SIDE, _SIDE + 1), cv2.COLOR_RGB2GRAY)
    return np.packbits(grey[:, :-1] < grey[:, 1:]).view(np.uint64)


def group_near_duplicates(hashes: NDArray[np.uint64]) -> NDArray[np.int64]:
    """Number the groups of pictures that chains of near-duplicates connect.

    Args:
        hashes: (n, 4), from `difference_hash`.

    Returns:
        (n,) number of each picture's group: the lowest index of its members.
    """
    # merge equal hashes first: thousands of black frames would be compared with each other
    different, firsts, which = np.unique(hashes, axis=0, return_index=True, return_inverse=True)
    groups = firsts
    for start in range(0, len(different), _BLOCK_ROWS):
        distances = _distances(different[start : start + _BLOCK_ROWS], different[start:])
        for near in distances <= MAX_DISTANCE_BITS:
            joined = groups[start:][near]  # its own group and those of all later ones near it
            if (joined != joined[0]).any():
                renamed = np.arange(len(hashes))
                renamed[joined] = joined.min()
                groups = renamed[groups]
    return np.asarray(groups[which.reshape(-1)], np.int64)


def has_near_twin(hashes: NDArray[np.uint64], others: NDArray[np.uint64]) -> NDArray[np.bool_]:
    """Return (n,) whether each picture (n, 4) has a near-duplicate among others (m, 4)."""
    found = np.zeros(len(hashes), np.bool_)
    for start in range(0, len(hashes), _BLOCK_ROWS):
        distances = _distances(hashes[start : start + _BLOCK_ROWS], others)
        found[start : start + _BLOCK_ROWS] = (distances <= MAX_DISTANCE_BITS).any(axis=1)
    return found


def _distances(hashes: NDArray[np.uint64], others: NDArray[np.uint64]) -> NDArray[np.uint16]:
    """Return (n, m) the number of bits in which each of n hashes differs from each of m others."""
    distances = np.zeros((len(hashes), len(others)), np.uint16)
    for word in range(hashes.shape[1]):
        distances += np.bitwise_count(hashes[:, None, word] ^ others[None, :, word])
    return distances
