"""Stills varied as frames of an episode vary, drawn anew for each epoch."""

from typing import Final

import cv2
import numpy as np
from numpy.typing import NDArray

from model.preprocess import CANVAS_SIDE, SIDE, resize
from model.recipe import Recipe
from model.stills import Stills

_HALF_WIDTH: Final = CANVAS_SIDE // 2
_HALF_HEIGHT: Final = 48  # 84 x 48 is about 16:9, the commonest frame
_HALF_TOP: Final = (CANVAS_SIDE - _HALF_HEIGHT) // 2
_SOURCE_WIDTH: Final = 64  # of the canvas a half shows: portrait stills are 63 wide on it,
_SOURCE_HEIGHT: Final = 73  # and this keeps the half's aspect
_SOURCE_LEFT: Final = (CANVAS_SIDE - _SOURCE_WIDTH) // 2
_SOURCE_TOP: Final = (CANVAS_SIDE - _SOURCE_HEIGHT) // 2


def augmented_batch(
    stills: Stills, indices: NDArray[np.int64], recipe: Recipe, rng: np.random.Generator
) -> tuple[NDArray[np.uint8], NDArray[np.float32]]:
    """Return varied pictures of the stills at these indices, and their targets.

    Args:
        stills: where they are.
        indices: (n,)
        recipe: how much they vary.
        rng: the source of chance.

    Returns:
        Pictures (n, 64, 64, 3), and targets (n, labels) that sum to 1: a picture with two
        characters is half the one and half the other.
    """
    pictures = np.empty((len(indices), SIDE, SIDE, 3), np.uint8)
    targets = np.zeros((len(indices), len(stills.labels)), np.float32)
    for row, index in enumerate(indices):
        shown = [int(index)]
        canvas = stills.canvases[index]
        if rng.random() < recipe.pasted_halves:
            shown.append(int(rng.integers(len(stills))))
            first, second = rng.permutation(shown)
            canvas = paste_halves(stills.canvases[first], stills.canvases[second])
        for one in shown:
            targets[row, stills.label_numbers[one]] += 1 / len(shown)
        pictures[row] = _vary(canvas, recipe, rng)
    return pictures, targets


def paste_halves(left: NDArray[np.uint8], right: NDArray[np.uint8]) -> NDArray[np.uint8]:
    """Return the canvas (84, 84, 3) of a wide frame with the middles of two canvases abreast."""
    frame = np.zeros((CANVAS_SIDE, CANVAS_SIDE, 3), np.uint8)
    for column, canvas in ((0, left), (_HALF_WIDTH, right)):
        source = canvas[
            _SOURCE_TOP : _SOURCE_TOP + _SOURCE_HEIGHT, _SOURCE_LEFT : _SOURCE_LEFT + _SOURCE_WIDTH
        ]
        half = resize(source, _HALF_HEIGHT, _HALF_WIDTH)
        frame[_HALF_TOP : _HALF_TOP + _HALF_HEIGHT, column : column + _HALF_WIDTH] = half
    return frame


def _vary(canvas: NDArray[np.uint8], recipe: Recipe, rng: np.random.Generator) -> NDArray[np.uint8]:
    """Mirror, zoom, shift and tint a canvas, and keep the middle (64, 64, 3)."""
    mirrored = recipe.mirror and rng.random() < 0.5
    across = np.exp(rng.uniform(-recipe.zoom, recipe.zoom))
    scale_x, scale_y = (-across if mirrored else across), across
    shift_x, shift_y = rng.uniform(-recipe.shift_pixels, recipe.shift_pixels, 2)
    middle_from, middle_to = (CANVAS_SIDE - 1) / 2, (SIDE - 1) / 2
    # where on the canvas each pixel of the picture comes from
    source = np.array(
        [
            [scale_x, 0, middle_from + shift_x - scale_x * middle_to],
            [0, scale_y, middle_from + shift_y - scale_y * middle_to],
        ]
    )
    flags = cv2.INTER_LINEAR | cv2.WARP_INVERSE_MAP
    picture = cv2.warpAffine(canvas, source, (SIDE, SIDE), flags=flags)
    # one factor for the light and a smaller one for each colour; black bars stay black
    gains = np.exp(rng.uniform(-1, 1) * recipe.brightness + rng.uniform(-1, 1, 3) * recipe.tint)
    curves = np.clip(np.arange(256)[:, None] * gains, 0, 255).astype(np.uint8)
    return np.asarray(cv2.LUT(picture, curves.reshape(256, 1, 3)), np.uint8)
