"""The position of a character in a picture."""

from collections.abc import Iterable
from dataclasses import dataclass
from typing import Final, Self

from model.errors import ModelError

_LEAST_EXTENT: Final = 0.001
"""Least extent of a box at or beyond an edge: a third of a pixel, and not 0 when it is rounded."""


@dataclass(frozen=True, slots=True)
class Place:
    """The position of a label in the active picture: centre and extent of its bounding box.

    All four are shares of the active picture, so that they hold for any size of it. The extent may
    reach beyond an edge: the centre of a half-visible figure may lie near it.
    """

    x: float
    """Of the centre, from the left edge (0) to the right (1)."""
    y: float
    """Of the centre, from the upper edge (0) to the lower (1)."""
    width: float
    """Of the extent, above 0; 1 is as wide as the picture."""
    height: float
    """Of the extent, above 0; 1 is as high as the picture."""

    def __post_init__(self) -> None:
        is_inside = 0 <= self.x <= 1 and 0 <= self.y <= 1
        if not (is_inside and 0 < self.width <= 1 and 0 < self.height <= 1):
            raise ModelError(
                f"place {self.x:g}, {self.y:g} of {self.width:g} x {self.height:g}: give shares of"
                " the picture, a centre from 0 to 1 and an extent above 0 and up to 1"
            )

    @classmethod
    def between(cls, corners: Iterable[float]) -> Self:
        """Return the place between left, top, right and bottom, shares from 0 to 1."""
        left, top, right, bottom = map(float, corners)
        return cls(
            (left + right) / 2,
            (top + bottom) / 2,
            max(right - left, _LEAST_EXTENT),
            max(bottom - top, _LEAST_EXTENT),
        )

    @property
    def corners(self) -> tuple[float, float, float, float]:
        """Left, top, right and bottom; below 0 or above 1 if the extent reaches beyond an edge."""
        across, down = self.width / 2, self.height / 2
        return self.x - across, self.y - down, self.x + across, self.y + down
