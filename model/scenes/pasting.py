"""Paste pictures, or areas of them, into a larger picture at another size."""

from dataclasses import dataclass

import cv2
import numpy as np
from numpy.typing import NDArray

from model.scenes.seen import Area, Picture, Seen


@dataclass(frozen=True)
class Move:
    """A position of a picture: scaled, mirrored or not, then shifted."""

    scale_x: float
    """Factor of the width."""
    scale_y: float
    """Factor of the height."""
    left: float
    """Position of the left edge in pixels of the canvas."""
    top: float
    """Position of the upper edge in pixels of the canvas."""
    mirrored: bool
    """Whether left and right are swapped."""

    def moved(self, box: NDArray[np.float32], shape: tuple[int, ...]) -> Seen:
        """Transform a box (label number, corners as shares, trust) of a picture to the scene."""
        height, width = shape[:2]
        label, left, top, right, bottom, trust = (float(value) for value in box)
        if self.mirrored:
            left, right = 1 - right, 1 - left
        return Seen(
            int(label),
            left * width * self.scale_x + self.left,
            top * height * self.scale_y + self.top,
            right * width * self.scale_x + self.left,
            bottom * height * self.scale_y + self.top,
            trust,
        )


def paste(
    canvas: Picture, picture: Picture, move: Move, *, area: Area | None = None, soft: float = 0.0
) -> None:
    """Paste a picture, or an area of it in pixels, into a canvas; `soft` fades its edges."""
    rows, columns = picture.shape[:2]
    left, top, right, bottom = area or (0.0, 0.0, float(columns), float(rows))
    if move.mirrored:
        picture = picture[:, ::-1]
        left, right = columns - right, columns - left
    from_x, to_x = (
        int(np.clip(round(x * move.scale_x + move.left), 0, canvas.shape[1])) for x in (left, right)
    )
    from_y, to_y = (
        int(np.clip(round(y * move.scale_y + move.top), 0, canvas.shape[0])) for y in (top, bottom)
    )
    if to_x - from_x < 2 or to_y - from_y < 2:
        return
    scale_x, scale_y = move.scale_x, move.scale_y
    if min(scale_x, scale_y) < 0.6:  # average first: interpolation by four neighbours would alias
        size = max(1, round(columns * scale_x)), max(1, round(rows * scale_y))
        picture = np.asarray(cv2.resize(picture, size, interpolation=cv2.INTER_AREA), np.uint8)
        scale_x = scale_y = 1.0
    matrix = np.array([[scale_x, 0, move.left - from_x], [0, scale_y, move.top - from_y]])
    part = cv2.warpAffine(
        np.ascontiguousarray(picture),
        matrix,
        (to_x - from_x, to_y - from_y),
        flags=cv2.INTER_LINEAR,
        borderMode=cv2.BORDER_REPLICATE,
    )
    view = canvas[from_y:to_y, from_x:to_x]
    if soft:
        part = _faded(np.asarray(part, np.uint8), view, soft)
    view[:] = part


def _faded(part: Picture, before: Picture, soft: float) -> Picture:
    """Return a part whose edges fade into the canvas."""
    height, width = part.shape[:2]
    edge = max(1.0, soft * min(height, width))
    to_sides = [
        np.minimum(np.arange(length) + 0.5, length - np.arange(length) - 0.5) / edge
        for length in (width, height)
    ]
    opacity = np.clip(np.minimum(to_sides[0][None], to_sides[1][:, None]), 0, 1)[..., None]
    return np.asarray(part * opacity + before * (1 - opacity), np.uint8)
