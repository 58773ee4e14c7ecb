"""Boxes: who is where in a picture, as shares of its width and height."""

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Final

from model.errors import BoxError
from model.labels import UNKNOWN

DIGITS: Final = 6
"""Shares are rounded to so many decimals, which single precision keeps: what is stored is what was
read, and a millionth of a picture is no pixel of any."""


@dataclass(frozen=True)
class Box:
    """A rectangle around somebody.

    Raises:
        BoxError: it has no label, is empty, or is not within the picture.
    """

    label: str
    """`unknown` for a stranger."""
    left: float
    """Share of the picture's width; 0 is its left edge, 1 its right one."""
    top: float
    """Share of the picture's height; 0 is its top."""
    right: float
    bottom: float

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
    """A box and where it was written down."""

    box: Box
    file: Path
    where: str
    """In that file, such as `line 3`."""
    picture: str
    """As that file names it."""


@dataclass(frozen=True)
class WrongBox:
    """A box that is not used."""

    file: Path
    """That it is written in."""
    where: str
    """In that file."""
    picture: str
    """As that file names it."""
    kind: str
    """Such as `outside`, `empty`, `no picture`, `too small`."""
    reason: str
    label: str = ""
    corners: tuple[float, ...] = ()
    """As shares where the size of the picture is known; empty if they cannot be read."""


def main_label(boxes: Sequence[Box]) -> str:
    """Return the label of the largest box; strangers only count where there is nobody else."""
    known = [box for box in boxes if box.label != UNKNOWN]
    return max(known or boxes, key=lambda box: box.area).label
