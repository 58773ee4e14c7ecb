"""Targets of a dense network for a scene, place (grid cell) by place."""

from typing import Final, NamedTuple

import numpy as np
from numpy.typing import NDArray

from model.networks.dense import EDGES, STRIDE
from model.scenes.seen import Scene, Seen

_MIDDLE: Final = 0.22
"""Places within this share of a box's width and height from its centre, to each side, are positive;
the other places inside the box are ignored (like the ignored ring of FCOS, Tian et al., 2019, whose
radius of 1.5 strides equals this share for a box of 7 strides)."""

_LEAST_DISTANCE: Final = 0.25
"""Least distance to an edge in strides: the logarithm of a smaller one would dominate the loss."""

_LEAST_SIDE: Final = 4.0
"""Least side in pixels of the visible part of a box; nobody could be recognised in a smaller
one."""


class Targets(NamedTuple):
    """The targets of one scene or of a batch of scenes, and the weight of each."""

    places: NDArray[np.float32]
    """(..., rows, columns, 2 labels): 0 or 1 for each label, then the weight of each."""
    edges: NDArray[np.float32]
    """(..., rows, columns, EDGES + 1): the logarithms of the distances in strides to left, top,
    right and bottom, then their weight."""
    picture: NDArray[np.float32]
    """(..., 2 labels): whether each label is anywhere in the picture, then the weight of each."""


def targets_of(scene: Scene) -> Targets:
    """Return the targets of a scene."""
    height, width = scene.picture.shape[:2]
    labels = len(scene.absent)
    grid = _Grid(height // STRIDE, width // STRIDE)
    right = np.zeros((grid.rows, grid.columns, labels), np.float32)
    counts = np.broadcast_to(scene.absent, right.shape).copy()
    edges = np.zeros((grid.rows, grid.columns, EDGES + 1), np.float32)
    whole, whole_counts = np.zeros(labels, np.float32), scene.absent.copy()
    for label in scene.somewhere:
        counts[..., label] = 0
        whole[label] = whole_counts[label] = 1
    for box in scene.hidden:
        counts[grid.within(box), box.label_number] = 0
        whole_counts[box.label_number] = 0
    for box in scene.seen:
        visible = box.within(width, height)
        if min(visible.right - visible.left, visible.bottom - visible.top) < _LEAST_SIDE:
            continue
        label = box.label_number
        middle = grid.in_the_middle_of(visible)
        around = grid.within(visible) & (right[..., label] == 0)
        counts[around, label] = 0
        right[middle, label] = 1
        counts[middle, label] = box.trust
        whole[label] = whole_counts[label] = 1
        edges[middle, :EDGES] = grid.distances(visible)[middle]
        edges[middle, EDGES] = box.trust
    return Targets(
        np.concatenate([right, counts], axis=-1), edges, np.concatenate([whole, whole_counts])
    )


class _Grid:
    """The grid of places of a picture."""

    def __init__(self, rows: int, columns: int) -> None:
        self.rows, self.columns = rows, columns
        self._x = (np.arange(columns) + 0.5)[None, :] * STRIDE
        self._y = (np.arange(rows) + 0.5)[:, None] * STRIDE

    def within(self, box: Seen) -> NDArray[np.bool_]:
        """Return a mask (rows, columns) of the places inside a box."""
        across = (self._x >= box.left) & (self._x <= box.right)
        down = (self._y >= box.top) & (self._y <= box.bottom)
        return np.asarray(across & down)

    def in_the_middle_of(self, box: Seen) -> NDArray[np.bool_]:
        """Return a mask (rows, columns) of the places near a box's centre; at least one is set."""
        x, y = (box.left + box.right) / 2, (box.top + box.bottom) / 2
        across = np.abs(self._x - x) <= _MIDDLE * (box.right - box.left)
        down = np.abs(self._y - y) <= _MIDDLE * (box.bottom - box.top)
        middle = np.asarray(across & down)
        row, column = int(y // STRIDE), int(x // STRIDE)
        middle[min(row, self.rows - 1), min(column, self.columns - 1)] = True
        return middle

    def distances(self, box: Seen) -> NDArray[np.float32]:
        """Return (rows, columns, EDGES): the log distances to a box's edges in strides."""
        to_edges = np.broadcast_arrays(
            self._x - box.left, self._y - box.top, box.right - self._x, box.bottom - self._y
        )
        strides = np.stack(to_edges, axis=-1) / STRIDE
        return np.log(np.maximum(strides, _LEAST_DISTANCE)).astype(np.float32)


def batch_of(scenes: list[Scene]) -> tuple[NDArray[np.uint8], Targets]:
    """Return the pictures (n, height, width, 3) of scenes and their targets."""
    pictures = np.stack([scene.picture for scene in scenes])
    each = [targets_of(scene) for scene in scenes]
    return pictures, Targets(*(np.stack(values) for values in zip(*each, strict=True)))
