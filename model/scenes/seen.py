"""A composed picture and the bounding boxes and labels in it."""

from dataclasses import dataclass, field
from typing import Final, NamedTuple

import numpy as np
from numpy.typing import NDArray

Picture = NDArray[np.uint8]
"""(height, width, 3) RGB."""

Area = tuple[float, float, float, float]
"""Left, top, right, bottom in pixels of a scene; may reach beyond it."""

ENOUGH: Final = 0.45
"""Visible share of a box from which its label counts as present; below, the label is ignored,
neither present nor absent. Viewers still recognise half a face at a frame's edge, or behind
somebody."""

_GONE: Final = 0.2
"""Visible share of a box below which its label counts as absent."""


class Seen(NamedTuple):
    """A box in a scene."""

    label_number: int
    """Number of the label."""
    left: float
    """In pixels of the scene, like the other edges; may lie outside of it."""
    top: float
    right: float
    bottom: float
    trust: float
    """Confidence that the label is exactly there, 0 to 1."""
    layer: int = 0
    """Number of pasted areas below the box; later ones lie above it."""

    @property
    def corners(self) -> Area:
        """Left, top, right, bottom."""
        return self.left, self.top, self.right, self.bottom

    def within(self, width: float, height: float) -> "Seen":
        """Return the part of the box that lies inside a picture of this size."""
        return self._replace(
            left=max(self.left, 0.0),
            top=max(self.top, 0.0),
            right=min(self.right, width),
            bottom=min(self.bottom, height),
        )

    def share_in(self, left: float, top: float, right: float, bottom: float) -> float:
        """Return the share of the box that lies in a rectangle."""
        width = min(self.right, right) - max(self.left, left)
        height = min(self.bottom, bottom) - max(self.top, top)
        area = (self.right - self.left) * (self.bottom - self.top)
        return max(0.0, width) * max(0.0, height) / max(area, 1e-6)


@dataclass
class Scene:
    """A picture and its annotations."""

    picture: Picture
    absent: NDArray[np.float32]
    """(labels,) certainty that each label is nowhere else in the picture, 0 to SURE."""
    seen: list[Seen] = field(default_factory=list)
    """Visible boxes."""
    hidden: list[Seen] = field(default_factory=list)
    """Partly hidden boxes, which are ignored."""
    somewhere: set[int] = field(default_factory=set)
    """Labels that are in the picture without a box."""
    doubtful: set[int] = field(default_factory=set)
    """Labels that a still in the picture names without a box, and which are ignored."""
    strangers: list[Seen] = field(default_factory=list)
    """Figures of unknown characters that were pasted on purpose."""
    pasted: list[Area] = field(default_factory=list)
    """Pasted areas, which cover earlier figures, from the lowest to the highest."""

    @property
    def present(self) -> set[int]:
        """The labels in the picture."""
        return {box.label_number for box in self.seen} | self.somewhere

    def note(self, box: Seen, area: Area) -> None:
        """Add a box of a picture of which this area of the scene is shown."""
        if box.label_number >= len(self.absent):
            return
        box = box._replace(layer=len(self.pasted))
        share = box.share_in(*area)
        if share > ENOUGH:
            # inside the scene another picture follows beyond an edge; beyond the frame, nothing
            left, right = area[0], area[2]
            if left > 0:
                box = box._replace(left=max(box.left, left))
            if right < self.picture.shape[1]:
                box = box._replace(right=min(box.right, right))
            self.seen.append(box)
        elif share > _GONE:
            self.hidden.append(box)

    def doubt(self, labels: set[int]) -> None:
        """Mark labels as ignored, because they may or may not be in the picture."""
        self.doubtful |= labels
        self.absent[list(labels)] = 0.0

    def cover(self, area: Area) -> None:
        """Note that an area was pasted: boxes that it covers become hidden."""
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
        """Return the share of a box that lies in a view and is not covered."""
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
