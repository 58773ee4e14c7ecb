"""Stills of rectangles on black, in a colour for each label, with boxes exactly around them."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Final

import numpy as np
from numpy.typing import NDArray

from model.labels import UNKNOWN
from model.shown import Shown
from model.stills import Stills

LABELS: Final = ("ant", "bee", "cow", UNKNOWN)
COLOURS: Final = np.array([[255, 0, 0], [0, 255, 0], [0, 0, 255], [90, 90, 90]], np.uint8)


@dataclass(frozen=True)
class Figure:
    """A rectangle of a label, in pixels."""

    label: int
    left: int
    top: int
    right: int
    bottom: int


@dataclass(frozen=True)
class Drawn:
    """A still to be."""

    figures: Sequence[Figure]
    boxed: bool = True
    all_boxed: bool = False
    height: int = 120
    width: int = 160

    def picture(self) -> NDArray[np.uint8]:
        """Later figures cover earlier ones."""
        picture = np.zeros((self.height, self.width, 3), np.uint8)
        for each in self.figures:
            picture[each.top : each.bottom, each.left : each.right] = COLOURS[each.label]
        return picture

    def shown(self) -> Shown:
        """The first figure's label is the main one."""
        labels = [each.label for each in self.figures]
        boxes = [
            (
                each.label,
                each.left / self.width,
                each.top / self.height,
                each.right / self.width,
                each.bottom / self.height,
            )
            for each in self.figures
            if self.boxed
        ]
        return Shown(
            labels[0],
            tuple(sorted(set(labels))),
            np.array(boxes, np.float32).reshape(-1, 5),
            self.all_boxed,
        )


def stills_of(drawn: Sequence[Drawn], labels: tuple[str, ...] = LABELS) -> Stills:
    """Unpack them as they are."""
    return Stills.from_pictures(labels, [(each.picture(), each.shown()) for each in drawn])


def pure_share(picture: NDArray[np.uint8], label: int) -> float:
    """The share of a picture that has a label's very colour, but for compression."""
    away = np.abs(picture.astype(int) - COLOURS[label]).max(axis=2)
    return float((away < 30).mean())


def colour_share(part: NDArray[np.uint8], label: int) -> float:
    """The share of a part of a picture that has a label's colour, however faded."""
    strongest = part.argmax(axis=2) == label
    clear = part.max(axis=2).astype(int) > 60 + np.sort(part, axis=2)[..., 1].astype(int)
    return float((strongest & clear).mean())
