"""The place of a label in the picture."""

from dataclasses import dataclass

from timeline.errors import TimelineError


@dataclass(frozen=True, slots=True)
class Place:
    """Centre and extent, as shares of the active picture; the extent may reach over its edges."""

    x: float
    """Centre, from the left edge (0) to the right (1)."""
    y: float
    """Centre, from the upper edge (0) to the lower (1)."""
    width: float
    height: float

    def __post_init__(self) -> None:
        if not all(0 <= share <= 1 for share in (self.x, self.y, self.width, self.height)):
            raise TimelineError(
                f"place {self.x:g}, {self.y:g} of {self.width:g} x {self.height:g}: each must be a"
                " share of the picture, 0 to 1"
            )

    def is_about(self, other: "Place") -> bool:
        """Tell whether the centre of each place lies within the extent of the other."""
        return 2 * abs(self.x - other.x) <= min(self.width, other.width) and 2 * abs(
            self.y - other.y
        ) <= min(self.height, other.height)

    def box(self) -> tuple[float, float, float, float]:
        """Return left, top, right and bottom of the part inside the picture, as shares of it."""
        return (
            max(self.x - self.width / 2, 0.0),
            max(self.y - self.height / 2, 0.0),
            min(self.x + self.width / 2, 1.0),
            min(self.y + self.height / 2, 1.0),
        )

    def surroundings(self, smallest: float) -> tuple[float, float, float, float]:
        """Return left, top, right and bottom of a crop that shows the character, as shares.

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
