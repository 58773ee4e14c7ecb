"""Decode the output of a dense network: each label's confidence in a frame, and its bounding box.

A label's confidence in a frame is the confidence at its most likely place (grid cell); its box
follows from the distances to the edges that the network predicts there.
"""

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from model.networks.dense import EDGES, STRIDE
from model.pictures.preprocess import FrameArea


@dataclass(frozen=True)
class Places:
    """The most likely place of each label in each of n frames."""

    logits: NDArray[np.float32]
    """(n, labels)"""
    boxes: NDArray[np.float32]
    """(n, labels, 4) left, top, right and bottom in pixels of the network's input."""


def most_likely_places(answers: NDArray[np.float32]) -> Places:
    """Return each label's most likely place.

    Args:
        answers: (n, rows, columns, labels + EDGES), the output of a network that
            `model.networks.dense` builds.
    """
    count, rows, columns, outputs = answers.shape
    by_place = answers.reshape(count, rows * columns, outputs)
    labels = outputs - EDGES
    best = by_place[..., :labels].argmax(axis=1)
    frames = np.arange(count)[:, None]
    logits = by_place[frames, best, np.arange(labels)]
    distances = STRIDE * np.exp(np.clip(by_place[frames, best][..., labels:], -4.0, 4.0))
    x = (best % columns + 0.5) * STRIDE
    y = (best // columns + 0.5) * STRIDE
    left, top, right, bottom = np.moveaxis(distances, -1, 0)
    boxes = np.stack([x - left, y - top, x + right, y + bottom], axis=-1)
    return Places(logits, boxes.astype(np.float32))


def as_shares(boxes: NDArray[np.float32], area: FrameArea) -> NDArray[np.float64]:
    """Return boxes (..., 4) in a frame as shares of the picture in it, clipped to 0..1.

    Args:
        boxes: Left, top, right, bottom in pixels.
        area: The picture's area in the frame.
    """
    origin = np.array([area.left, area.top] * 2, np.float64)
    size = np.array([area.width, area.height] * 2, np.float64)
    return np.asarray(np.clip((boxes - origin) / size, 0.0, 1.0), np.float64)
