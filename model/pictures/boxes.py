"""Bounding boxes of characters in a picture, as shares of its width and height."""

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Final

from model.errors import BoxError
from model.labels import UNKNOWN

DIGITS: Final = 6
"""Decimals of a share, which single precision preserves: stored boxes equal those that were read,
and a millionth of a picture is less than a pixel."""


@dataclass(frozen=True)
class Box:
    """A bounding box around a character.

    Raises:
        BoxError: It has no label, is empty, or is not within the picture.
    """

    label: str
    """A label; `unknown` for an unknown character."""
    left: float
    """Share of the picture's width; 0 is its left edge, 1 its right one."""
    top: float
    """Share of the picture's height; 0 is its top."""
    right: float
    """Share of the picture's width; above `left`."""
    bottom: float
    """Share of the picture's height; above `top`."""

    def __post_init__(self) -> None:
        if not self.label:
            raise BoxError("a box has no label")
        if not (0 <= self.left < self.right <= 1 and 0 <= self.top < self.bottom <= 1):
            raise BoxError(f"box {self.corners} is empty or leaves the picture (0 to 1)")

    @property
    def corners(self) -> tuple[float, float, float, float]:
        """Left, top, right, bottom."""
        return self.left, self.top, self.right, self.bottom

    @property
    def area(self) -> float:
        """Share of the picture."""
        return (self.right - self.left) * (self.bottom - self.top)


@dataclass(frozen=True)
class DrawnBox:
    """A box and its origin."""

    box: Box
    file: Path
    """The annotation file."""
    where: str
    """Position in that file, such as `line 3`."""
    picture: str
    """Name of the picture in that file."""


@dataclass(frozen=True)
class WrongBox:
    """A box that is not used."""

    file: Path
    """The file that contains it."""
    where: str
    """Position in that file."""
    picture: str
    """Name of the picture in that file."""
    kind: str
    """One of `outside`, `empty`, `no picture`, `too small` and the like."""
    reason: str
    """The fault in words."""
    label: str = ""
    """Label in the file; empty if it has none."""
    corners: tuple[float, ...] = ()
    """As shares if the size of the picture is known; empty if they cannot be read."""


def main_label(boxes: Sequence[Box]) -> str:
    """Return the label of the largest box; `unknown` only if there is no other label."""
    known = [box for box in boxes if box.label != UNKNOWN]
    return max(known or boxes, key=lambda box: box.area).label
