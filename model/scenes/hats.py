"""Hats: a few drawn shapes that hide the top of a head, like disguises in episodes."""

from typing import Final, NamedTuple

import cv2
import numpy as np
from numpy.typing import NDArray

from model.scenes.seen import Area, Picture

_OUTLINE: Final = (20, 20, 20)
_HIDDEN: Final = 0.3
"""Share of a box's height, or of its width if that is less, that a hat hides: eyes stay visible
where a box encloses a head, and faces where it encloses a whole figure."""

_SHIFT: Final = 4  # fractional bits of the coordinates that OpenCV draws with


class _Shape(NamedTuple):
    """A hat composed of polygons with points (x, y).

    x runs from -1 to 1 over the head's width, y from -1 at the top of the hat to 0 at its lower
    edge.
    """

    parts: tuple[tuple[tuple[float, float], ...], ...]
    """Polygons, each a sequence of points."""
    height: float
    """Height in units of the head's width."""


def _dome(half_width: float, top: float) -> tuple[tuple[float, float], ...]:
    angles = np.linspace(np.pi, 0, 13)
    return tuple((half_width * float(np.cos(a)), top * float(np.sin(a))) for a in angles)


def _brim(left: float, right: float) -> tuple[tuple[float, float], ...]:
    return ((left, -0.12), (right, -0.12), (right, 0.05), (left, 0.05))


_SHAPES: Final = (
    _Shape((_dome(1.0, -1.0), _brim(-0.2, 1.5)), 0.5),  # a cap, its peak to one side
    _Shape((_dome(1.1, -1.0), _brim(-1.1, 1.1)), 0.7),  # a helmet
    _Shape((((-0.7, 0), (-0.75, -1), (0.75, -1), (0.7, 0)), _brim(-1.3, 1.3)), 0.8),  # a top hat
    _Shape((((-0.8, 0), (0.1, -1), (0.8, 0)), _brim(-1.2, 1.2)), 1.0),  # a pointed hat
)


def draw_hat(picture: Picture, head: Area, rng: np.random.Generator) -> Area:
    """Draw a hat onto a head, or onto the top of a figure.

    Args:
        picture: The picture; it is changed in place.
        head: Box of the head in pixels of the picture; may reach beyond it.
        rng: Draws the kind, the colours and the direction of the hat.

    Returns:
        The area that the hat covers.
    """
    left, top, right, bottom = head
    half = (right - left) / 2
    down = top + _HIDDEN * min(bottom - top, right - left)
    shape = _SHAPES[rng.integers(len(_SHAPES))]
    side = 1 if rng.random() < 0.5 else -1
    height = shape.height * (right - left)
    colours = rng.integers(30, 256, (2, 3)).tolist()
    thickness = max(1, round((right - left) / 40))
    parts = [
        np.array([(left + half + side * x * half, down + y * height) for x, y in part])
        for part in shape.parts
    ]
    for part, colour in zip(parts, colours, strict=True):
        _fill(picture, part, colour, thickness)
    corners = np.concatenate(parts)
    (first_x, first_y), (last_x, last_y) = corners.min(axis=0), corners.max(axis=0)
    return float(first_x), float(first_y), float(last_x), float(last_y)


def _fill(picture: Picture, points: NDArray[np.float64], colour: list[int], thickness: int) -> None:
    fixed = np.round(points * (1 << _SHIFT)).astype(np.int32)
    cv2.fillPoly(picture, [fixed], colour, cv2.LINE_AA, _SHIFT)
    cv2.polylines(picture, [fixed], True, _OUTLINE, thickness, cv2.LINE_AA, _SHIFT)
