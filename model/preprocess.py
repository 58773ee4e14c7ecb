"""The one way in which a picture becomes a network's input, in training and at inference.

The rule is the one by which the original dataset was packed: a picture no larger than 64x64 is
resized to fit 64x64; one larger in either dimension is resized to fit 84x84 and its middle 64x64
is kept, so that the character, who mostly stands in the middle, keeps more pixels. The aspect
ratio is kept, missing parts are black, pixels stay uint8 and are not filtered otherwise.
"""

from typing import Final

import cv2
import numpy as np
from numpy.typing import NDArray

from model.errors import ModelError

NAME: Final = "fit84_crop64"
"""How a manifest names this rule."""

SIDE: Final = 64
"""Height and width in pixels of what a network sees."""

CANVAS_SIDE: Final = 84
"""Height and width in pixels that a larger picture is fitted to before its middle is kept."""

_MARGIN: Final = (CANVAS_SIDE - SIDE) // 2  # 10: what the crop takes off each side of the canvas


def preprocess(picture: NDArray[np.uint8]) -> NDArray[np.uint8]:
    """Return a picture as a network sees it.

    Args:
        picture: (height, width, 3) RGB, of any size and aspect from 1x1.

    Returns:
        (64, 64, 3) uint8, a view of a larger array.

    Raises:
        ModelError: the array is no such picture.
    """
    return crop_middle(fit_to_canvas(picture))


def fit_to_canvas(picture: NDArray[np.uint8]) -> NDArray[np.uint8]:
    """Return a picture fitted to the canvas whose middle `preprocess` keeps.

    The margin around the middle is what training shifts and zooms into.

    Args:
        picture: (height, width, 3) RGB, of any size and aspect from 1x1.

    Returns:
        (84, 84, 3) uint8, the picture in the middle and black around it.

    Raises:
        ModelError: the array is no such picture.
    """
    _check(picture)
    height, width = fitted_size(picture.shape[0], picture.shape[1])
    top, left = (CANVAS_SIDE - height) // 2, (CANVAS_SIDE - width) // 2
    canvas = np.zeros((CANVAS_SIDE, CANVAS_SIDE, 3), np.uint8)
    canvas[top : top + height, left : left + width] = resize(picture, height, width)
    return canvas


def crop_middle(canvas: NDArray[np.uint8]) -> NDArray[np.uint8]:
    """Return the middle (..., 64, 64, 3) of one or more canvases (..., 84, 84, 3), as a view."""
    return canvas[..., _MARGIN : _MARGIN + SIDE, _MARGIN : _MARGIN + SIDE, :]


def fitted_size(height: int, width: int) -> tuple[int, int]:
    """Return the height and width in pixels that a picture of this size has on the canvas."""
    longest = max(height, width)
    target = SIDE if longest <= SIDE else CANVAS_SIDE
    return _scaled(height, target, longest), _scaled(width, target, longest)


def resize(picture: NDArray[np.uint8], height: int, width: int) -> NDArray[np.uint8]:
    """Return a picture at another size: averaged where it shrinks, interpolated where it grows."""
    if picture.shape[:2] == (height, width):
        return picture
    shrinks = picture.shape[0] > height or picture.shape[1] > width
    way = cv2.INTER_AREA if shrinks else cv2.INTER_LINEAR
    return np.asarray(cv2.resize(picture, (width, height), interpolation=way), np.uint8)


def _scaled(length: int, target: int, longest: int) -> int:
    """Return length * target / longest, rounded half up, never less than a pixel."""
    return max(1, (2 * length * target + longest) // (2 * longest))


def _check(picture: NDArray[np.uint8]) -> None:
    usable = picture.ndim == 3 and picture.shape[2] == 3 and picture.size > 0
    if not usable or picture.dtype != np.uint8:
        raise ModelError(
            f"a picture of shape {picture.shape} and type {picture.dtype} cannot be classified: "
            "give (height, width, 3) RGB as uint8"
        )
