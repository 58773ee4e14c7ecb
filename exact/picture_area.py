"""The active picture area of a frame."""

from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class PictureArea:
    """The active picture area of a frame, in coded pixels after rotation."""

    x: int
    y: int
    width: int
    height: int

    def __post_init__(self) -> None:
        """Check that the area is not empty and starts inside the frame."""
        if self.x < 0 or self.y < 0 or self.width <= 0 or self.height <= 0:
            raise ValueError(f"not a picture area: {self}")
