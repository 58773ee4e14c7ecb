"""A picture that was put together, and what is known of who is in it."""

from dataclasses import dataclass, field
from typing import Final, NamedTuple

import numpy as np
from numpy.typing import NDArray

Picture = NDArray[np.uint8]
"""(height, width, 3) RGB."""

Area = tuple[float, float, float, float]
"""Left, top, right, bottom in pixels of a scene; may reach beyond it."""

ENOUGH: Final = 0.45
"""Share of a box that must be left for somebody to count as there; below, neither there nor not.
Half a face at a frame's edge, or behind somebody, is still somebody to who watches."""

_GONE: Final = 0.2
"""Share of a box below which nobody is there."""


class Seen(NamedTuple):
    """A box in a scene."""

    label_number: int
    left: float
    """In pixels of the scene; may lie outside of it."""
    top: float
    right: float
    bottom: float
    trust: float
    """How surely somebody is right there, 0 to 1."""
    layer: int = 0
    """How many pasted areas lie below it; those after them lie above."""

    @property
    def corners(self) -> Area:
        """Left, top, right, bottom."""
        return self.left, self.top, self.right, self.bottom

    def within(self, width: float, height: float) -> "Seen":
        """Return the part of it that lies in a picture."""
        return self._replace(
            left=max(self.left, 0.0),
            top=max(self.top, 0.0),
            right=min(self.right, width),
            bottom=min(self.bottom, height),
        )

    def share_in(self, left: float, top: float, right: float, bottom: float) -> float:
        """Return the share of it that lies in a rectangle."""
        width = min(self.right, right) - max(self.left, left)
        height = min(self.bottom, bottom) - max(self.top, top)
        area = (self.right - self.left) * (self.bottom - self.top)
        return max(0.0, width) * max(0.0, height) / max(area, 1e-6)


@dataclass
class Scene:
    """A picture and what is known of who is in it."""

    picture: Picture
    absent: NDArray[np.float32]
    """(labels,) how sure it is that each is nowhere else in it, 0 to SURE."""
    seen: list[Seen] = field(default_factory=list)
    hidden: list[Seen] = field(default_factory=list)
    """Partly out of sight: neither there nor not."""
    somewhere: set[int] = field(default_factory=set)
    """Labels that are in it, nobody knows where."""
    doubtful: set[int] = field(default_factory=set)
    """Labels that a still of it names without a box: neither there nor not."""
    strangers: list[Seen] = field(default_factory=list)
    """Figures of nobody known that were pasted on purpose."""
    pasted: list[Area] = field(default_factory=list)
    """What covers whoever was there before, from the lowest to the highest."""

    @property
    def present(self) -> set[int]:
        """The labels that are in it."""
        return {box.label_number for box in self.seen} | self.somewhere

    def note(self, box: Seen, area: Area) -> None:
        """Take down a box of a picture of which an area of the scene is shown."""
        if box.label_number >= len(self.absent):
            return
        box = box._replace(layer=len(self.pasted))
        share = box.share_in(*area)
        if share > ENOUGH:
            # beyond an edge inside the picture there is something else; beyond the frame, nothing
            left, right = area[0], area[2]
            if left > 0:
                box = box._replace(left=max(box.left, left))
            if right < self.picture.shape[1]:
                box = box._replace(right=min(box.right, right))
            self.seen.append(box)
        elif share > _GONE:
            self.hidden.append(box)

    def doubt(self, labels: set[int]) -> None:
        """Take down labels of which nobody can tell whether they are in it."""
        self.doubtful |= labels
        self.absent[list(labels)] = 0.0

    def cover(self, area: Area) -> None:
        """Take down that something was pasted: whoever is covered by it is hidden."""
        self.pasted.append(area)
        height, width = self.picture.shape[:2]
        covered = [
            box
            for box in self.seen
            if box.share_in(*area) > 0 and self.share_in_sight(box, (0, 0, width, height)) <= ENOUGH
        ]
        self.hidden += covered
        self.seen = [box for box in self.seen if box not in covered]

    def share_in_sight(self, box: Seen, view: Area) -> float:
        """Return the share of a box of it that a view shows, and that nothing covers."""
        rows, columns = (
            np.arange(np.floor(first), np.ceil(last)) + 0.5
            for first, last in ((box.top, box.bottom), (box.left, box.right))
        )
        inside = _inside(view, rows, columns)
        for area in self.pasted[box.layer :]:
            inside &= ~_inside(area, rows, columns)
        return float(inside.mean()) if inside.size else 0.0


def _inside(
    area: Area, rows: NDArray[np.floating], columns: NDArray[np.floating]
) -> NDArray[np.bool_]:
    left, top, right, bottom = area
    across, down = (columns >= left) & (columns <= right), (rows >= top) & (rows <= bottom)
    return np.asarray(down[:, None] & across)
