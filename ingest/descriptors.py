"""Describe pictures by short vectors whose product is their likeness. Pure.

The vector of a picture is its brightness on a coarse grid and its colours on a coarser one, without
their means and of length 1: the product of two is their correlation. So recompression, another size
and another brightness change next to nothing, and a logo in a corner a few of the values.
"""

from collections import defaultdict
from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

LUMA_SIZE, CHROMA_SIZE = (16, 12), (8, 6)
"""Columns and rows of the grids. A cell is a twelfth of the height: it hardly changes where two
copies are cropped a few pixels apart, and a figure at half the height covers a dozen of them. On
seven clips of cartoons, the 99th percentile of the correlation of pictures of different clips is
0.56 with these cells and 0.62 with four times larger ones."""

CHROMA_WEIGHT = 2.8
"""Weight of a value of colour: twice since its contrast is about half of that of brightness, times
the root of two since there are half as many values. On the same clips, copies are told from other
pictures at 1 % of false matches with 3.7 % of misses, without colours with 9.3 %."""

_YCBCR = np.array([[0.299, -0.169, 0.5], [0.587, -0.331, -0.419], [0.114, 0.5, -0.081]], np.float32)
"""The columns that turn RGB into Y, Cb and Cr around 0 (ITU-T T.871)."""

PLAIN_RANGE, PLAIN_SHARE = 8, 0.6
"""A picture is plain if so great a share of its brightness lies within so many 8-bit code values of
the median: black, a fade, a title on an even ground. In drawn pictures and scanned film it is a
fifth to a third; a page of text on black leaves two thirds of the cells even."""


@dataclass(frozen=True, eq=False)
class Descriptors:
    """The descriptions of successive pictures."""

    vectors: npt.NDArray[np.float32]
    """float32 array of shape (pictures, 288), each of length 1; 0 where the picture is plain."""
    is_plain: npt.NDArray[np.bool_]
    """bool array of shape (pictures,): pictures that say too little to be recognised."""


def describe_pictures(pictures: Sequence[npt.NDArray[np.uint8]]) -> Descriptors:
    """Describe uint8 (h, w, 3) RGB pictures; small ones will do."""
    by_shape: dict[tuple[int, ...], list[int]] = defaultdict(list)
    for number, picture in enumerate(pictures):
        by_shape[picture.shape].append(number)
    found = Descriptors(
        np.zeros((len(pictures), _length()), np.float32), np.zeros(len(pictures), np.bool_)
    )
    for numbers in by_shape.values():
        described = _described(np.stack([pictures[number] for number in numbers]))
        found.vectors[numbers], found.is_plain[numbers] = described.vectors, described.is_plain
    return found


def _described(pictures: npt.NDArray[np.uint8]) -> Descriptors:
    """Describe uint8 (pictures, h, w, 3) of one size."""
    planes = pictures @ _YCBCR
    luma = _cells(planes[..., 0], LUMA_SIZE)
    middle = np.median(luma, axis=1, keepdims=True)
    is_plain = (np.abs(luma - middle) < PLAIN_RANGE).mean(1) >= PLAIN_SHARE
    colours = [CHROMA_WEIGHT * _cells(planes[..., plane], CHROMA_SIZE) for plane in (1, 2)]
    vectors = np.concatenate(
        [part - part.mean(1, keepdims=True) for part in (luma, *colours)], axis=1
    )
    vectors[is_plain] = 0
    lengths = np.linalg.norm(vectors, axis=1, keepdims=True)
    unit = np.asarray(vectors / np.where(lengths > 0, lengths, 1), np.float32)
    return Descriptors(unit, is_plain)


def _cells(plane: npt.NDArray[np.float32], size: tuple[int, int]) -> npt.NDArray[np.float32]:
    """Return the means of (pictures, h, w) in the cells of a grid: (pictures, cells)."""
    columns, rows = size
    _, height, width = plane.shape
    means = _shares(height, rows) @ plane @ _shares(width, columns).T
    return np.asarray(means.reshape(len(plane), -1), np.float32)


def _shares(pixels: int, cells: int) -> npt.NDArray[np.float32]:
    """Return the share of each pixel in the mean of each cell: (cells, pixels)."""
    borders = np.arange(cells + 1)[:, None] * pixels / cells
    covered = np.clip(borders - np.arange(pixels), 0, 1)
    return np.asarray(np.diff(covered, axis=0) * cells / pixels, np.float32)


def _length() -> int:
    return LUMA_SIZE[0] * LUMA_SIZE[1] + 2 * CHROMA_SIZE[0] * CHROMA_SIZE[1]
