"""Stills of plain colours whose boxes are of other ones: a label is known by its colour."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Final

import numpy as np
from numpy.typing import NDArray

from model.dataset.annotation import NO_BOXES, Annotation
from model.dataset.stills import Stills

LABELS: Final = ("ann", "bob", "cid", "dot", "unknown")

COLOURS: Final[Mapping[str, tuple[int, int, int]]] = {
    "ann": (255, 0, 0),
    "bob": (0, 255, 0),
    "cid": (0, 0, 255),
    "dot": (255, 255, 0),
    "unknown": (255, 0, 255),
}
GROUND: Final = (90, 90, 90)
"""What lies around boxes."""

Corners = tuple[float, float, float, float]


@dataclass(frozen=True)
class Placed:
    """A still, and where in it who is: left, top, right, bottom as shares."""

    boxes: Sequence[tuple[str, Corners]]
    in_full: bool = True
    """Whether everybody has a box; else the first label is known of it alone, and its box."""
    size: tuple[int, int] = (120, 160)
    """Height and width."""
    also: tuple[str, ...] = ()
    """Labels that are in it without a box."""


def placed_stills(*stills: Placed) -> Stills:
    """Unpack stills on each of whose boxes the label's colour is painted."""
    return Stills.from_pictures(LABELS, ((_painted(still), _shown(still)) for still in stills))


def nobody() -> Placed:
    """A still of nobody known, without a box: of the ground's colour."""
    return Placed([], in_full=False, also=("unknown",))


def of_colour(picture: NDArray[np.uint8], label: str, tolerance: int = 30) -> NDArray[np.bool_]:
    """Tell which pixels (height, width) have a label's colour."""
    apart = np.abs(picture.astype(int) - COLOURS[label])
    return np.asarray(apart.max(axis=2) <= tolerance)


def _painted(still: Placed) -> NDArray[np.uint8]:
    height, width = still.size
    picture = np.full((height, width, 3), GROUND, np.uint8)
    for label, (left, top, right, bottom) in still.boxes:
        picture[
            round(top * height) : round(bottom * height), round(left * width) : round(right * width)
        ] = COLOURS[label]
    return picture


def _shown(still: Placed) -> Annotation:
    numbers = [LABELS.index(label) for label, _ in still.boxes]
    also = [LABELS.index(label) for label in still.also]
    boxes = np.array(
        [(number, *corners) for number, (_, corners) in zip(numbers, still.boxes, strict=True)],
        np.float32,
    )
    return Annotation(
        min([*numbers, *also]),
        tuple(sorted({*numbers, *also})),
        boxes if len(boxes) else NO_BOXES,
        all_boxed=still.in_full,
    )
