"""Compute a tiny signature of each decoded frame for cut detection: its planes at some points.

It is taken of nearly every frame, so it must cost next to nothing: no frame is converted or
downscaled, and further work is done for hundreds of frames together.
"""

from fractions import Fraction
from typing import TYPE_CHECKING

import numpy as np
import numpy.typing as npt

from ingest.cuts import CHROMA_SHAPE, LUMA_SHAPE, SIGNATURE_BYTES, Cuts, Frames
from ingest.frames.picture import PictureShape, coded_area, luma_and_chroma

if TYPE_CHECKING:
    from av.video.frame import VideoFrame

FRAMES_AT_ONCE = 1024
"""Frames whose signatures are collected before cuts are sought among them: 300 kB."""

_BITS = 8
"""Bits of a signature's values."""

_NEUTRAL = 128
"""The chroma value of a frame without colour."""

Points = tuple[slice, slice] | tuple[npt.NDArray[np.intp], npt.NDArray[np.intp]]
"""The sampled rows and columns of a plane."""


class CutFinder:
    """Takes a chunk's frames one after the other, and finds their cuts."""

    def __init__(self, shape: PictureShape) -> None:
        """Begin with no frames; only the active part, as in this shape, will be sampled."""
        self._box = coded_area(shape)
        self._points: dict[tuple[tuple[int, ...], int], Points] = {}
        self._cuts = Cuts.among(Frames.none())
        self._pts: list[int] = []
        self._signatures = np.full((FRAMES_AT_ONCE, SIGNATURE_BYTES), _NEUTRAL, np.uint8)
        self._parts = []
        start = 0
        for rows, columns in (LUMA_SHAPE, CHROMA_SHAPE, CHROMA_SHAPE):
            part = self._signatures[:, start : start + rows * columns]
            self._parts.append(part.reshape(-1, rows, columns))
            start += rows * columns

    def add(self, pts: int, frame: "VideoFrame") -> None:
        """Take the next frame."""
        number = len(self._pts)
        planes, bits = luma_and_chroma(frame)
        for plane, part in zip(planes, self._parts, strict=False):
            values = plane[self._points_of(plane.shape, part.shape[1])]
            part[number] = values if bits == _BITS else values >> (bits - _BITS)
        self._pts.append(pts)
        if number + 1 == FRAMES_AT_ONCE:
            self._tell()

    def cuts(self) -> Cuts:
        """Return the cuts of all frames so far."""
        self._tell()
        return self._cuts

    def _points_of(self, shape: tuple[int, ...], rows: int) -> Points:
        found = self._points.get((shape, rows))
        if found is None:
            columns = rows * LUMA_SHAPE[1] // LUMA_SHAPE[0]
            left, top, right, bottom = self._box
            vertical = top * shape[0], bottom * shape[0], rows
            horizontal = left * shape[1], right * shape[1], columns
            y, x = _steps(*vertical), _steps(*horizontal)
            if y is None or x is None:  # a tiny picture, of which some points are read twice
                found = _evenly(*vertical)[:, None], _evenly(*horizontal)
            else:
                found = y, x
            self._points[shape, rows] = found
        return found

    def _tell(self) -> None:
        signatures = self._signatures[: len(self._pts)].copy()
        self._cuts += Cuts.among(Frames(tuple(self._pts), signatures))
        self._pts.clear()


def _steps(start: Fraction, end: Fraction, count: int) -> slice | None:
    """Return `count` rows or columns at integer steps: read four times as fast as others."""
    step = int((end - start) / count)
    first = int(start + (end - start - step * (count - 1)) / 2)
    return slice(first, first + step * count, step) if step else None


def _evenly(start: Fraction, end: Fraction, count: int) -> npt.NDArray[np.intp]:
    """Return `count` rows or columns of a range: the middles of equal parts of it."""
    step = (end - start) / count
    return np.array([int(start + step * (2 * k + 1) / 2) for k in range(count)])
