"""Draw boxes and their labels on a picture."""

from collections.abc import Sequence
from typing import Final

import numpy as np
from numpy.typing import NDArray
from PIL import Image, ImageDraw

from model.labels import UNKNOWN, Names
from model.pictures.boxes import Box
from model.pictures.fonts import image_font
from model.pictures.preprocess import resize

_LETTER: Final = 10  # px: the smallest that is easy to read
_PAPER: Final = (255, 255, 255)
_KNOWN: Final = (
    204,
    51,
    17,
)  # and grey for unknown; distinguishable with colour blindness
_STRANGER: Final = (90, 90, 90)


def with_boxes(
    picture: NDArray[np.uint8], boxes: Sequence[Box], longest_side: int, names: Names
) -> NDArray[np.uint8]:
    """Return a resized picture, with a frame and a name for each box.

    Args:
        picture: (height, width, 3) RGB.
        boxes: Boxes in the picture.
        longest_side: Longest side of the result in pixels.
        names: Display names of the labels.
    """
    scale = longest_side / max(picture.shape[:2])
    height, width = (max(1, round(side * scale)) for side in picture.shape[:2])
    drawn = Image.fromarray(resize(picture, height, width))
    pen = ImageDraw.Draw(drawn)
    for box in boxes:
        colour = _STRANGER if box.label == UNKNOWN else _KNOWN
        left, right = round(box.left * (width - 1)), round(box.right * (width - 1))
        top, bottom = round(box.top * (height - 1)), round(box.bottom * (height - 1))
        pen.rectangle((left, top, right, bottom), outline=colour)
        _write(pen, names[box.label], (left, top), width, colour)
    return np.asarray(drawn, np.uint8)


def _write(
    pen: ImageDraw.ImageDraw,
    text: str,
    corner: tuple[int, int],
    width: int,
    colour: tuple[int, int, int],
) -> None:
    """Write a name above a box, or inside it if there is no room; always within the picture."""
    font = image_font(text, _LETTER)
    left = max(0, min(corner[0], width - round(font.getlength(text)) - 2))
    top = max(0, corner[1] - _LETTER - 2)
    pen.rectangle((left, top, left + font.getlength(text) + 1, top + _LETTER + 1), colour)
    pen.text((left + 1, top), text, _PAPER, font)
