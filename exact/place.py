"""The place of a label in a picture."""

from collections.abc import Iterable
from dataclasses import dataclass
from typing import Final, Self

_LEAST_EXTENT: Final = 0.001
"""Extent of a place at or beyond an edge: a third of a pixel, and not 0 when it is rounded."""


@dataclass(frozen=True, slots=True)
class Place:
    """The place of a label in the active picture: its centre and its extent.

    All four are shares of the active picture, so that they hold for any size of it. The extent may
    reach over an edge: the centre of a character that is half outside may lie near it.
    """

    x: float
    """Centre, from the left edge (0) to the right (1)."""
    y: float
    """Centre, from the upper edge (0) to the lower (1)."""
    width: float
    """Extent; 1 is as wide as the picture."""
    height: float
    """Extent; 1 is as high as the picture."""

    def __post_init__(self) -> None:
        """Check that all four are shares."""
        # written out, because there is one of each tag: a loop takes four times as long
        if not (
            0 <= self.x <= 1 and 0 <= self.y <= 1 and 0 <= self.width <= 1 and 0 <= self.height <= 1
        ):
            raise ValueError(
                f"place {self.x:g}, {self.y:g} of {self.width:g} x {self.height:g}: each must be a"
                " share of the picture, 0 to 1"
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
    def shares(self) -> tuple[float, float, float, float]:
        """Centre and extent: x, y, width, height."""
        return self.x, self.y, self.width, self.height

    @property
    def corners(self) -> tuple[float, float, float, float]:
        """Left, top, right and bottom; where the extent reaches over an edge, beyond 0 or 1."""
        across, down = self.width / 2, self.height / 2
        return self.x - across, self.y - down, self.x + across, self.y + down

    @property
    def box(self) -> tuple[float, float, float, float]:
        """Left, top, right and bottom of the part inside the picture."""
        left, top, right, bottom = self.corners
        return max(left, 0.0), max(top, 0.0), min(right, 1.0), min(bottom, 1.0)

    def rounded(self, digits: int) -> Self:
        """Return the place with shares rounded to this number of digits."""
        return type(self)(*(round(share, digits) for share in self.shares))

    def is_about(self, other: "Place") -> bool:
        """Tell whether the centre of each place lies within the extent of the other."""
        return 2 * abs(self.x - other.x) <= min(self.width, other.width) and 2 * abs(
            self.y - other.y
        ) <= min(self.height, other.height)

    def surroundings(self, smallest: float) -> tuple[float, float, float, float]:
        """Return left, top, right and bottom of a crop that shows the character.

        The crop is the place with half its extent added on each side, moved into the picture where
        it reaches over an edge; along a side that it fills, it is the whole picture.

        Args:
            smallest: Least extent of the crop along each side, as a share of the picture's.
        """
        left, right = _around(self.x, self.width, smallest)
        top, bottom = _around(self.y, self.height, smallest)
        return left, top, right, bottom


def _around(centre: float, extent: float, smallest: float) -> tuple[float, float]:
    """Return start and end along one side of the picture."""
    wanted = min(max(2 * extent, smallest), 1.0)
    start = min(max(centre - wanted / 2, 0.0), 1.0 - wanted)
    return start, start + wanted
