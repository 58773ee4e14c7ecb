"""Many small pictures on one, in named rows: a look at a dataset."""

from collections.abc import Sequence
from io import BytesIO
from typing import Final

import numpy as np
from numpy.typing import NDArray
from PIL import Image, ImageDraw, ImageFont

from model.preprocess import resize

PER_ROW: Final = 12
"""Pictures in a row: with their names a sheet is 1,264 px wide, which fits a screen."""

_CELL: Final = 88  # px: a face is recognised, and 50 rows are 4,400 px high
_NAME_WIDTH: Final = 208  # px: the longest of 49 labels has 25 letters
_LETTER: Final = 14  # px
_PAPER: Final = (255, 255, 255)
_INK: Final = (30, 30, 30)


def contact_sheet(rows: Sequence[tuple[str, Sequence[NDArray[np.uint8]]]]) -> bytes:
    """Return a PNG file's content.

    Args:
        rows: each a name and its pictures (height, width, 3) RGB of any size, of which the first
            PER_ROW are shown.
    """
    sheet = Image.new("RGB", (_NAME_WIDTH + PER_ROW * _CELL, max(1, len(rows)) * _CELL), _PAPER)
    pen = ImageDraw.Draw(sheet)
    font = ImageFont.load_default(_LETTER)
    for row, (name, pictures) in enumerate(rows):
        pen.text((4, row * _CELL + _CELL // 2 - _LETTER), name, _INK, font)
        for column, picture in enumerate(pictures[:PER_ROW]):
            small = _thumbnail(picture)
            left = _NAME_WIDTH + column * _CELL + (_CELL - small.shape[1]) // 2
            top = row * _CELL + (_CELL - small.shape[0]) // 2
            sheet.paste(Image.fromarray(small), (left, top))
    buffer = BytesIO()
    sheet.save(buffer, "PNG")
    return buffer.getvalue()


def _thumbnail(picture: NDArray[np.uint8]) -> NDArray[np.uint8]:
    height, width = picture.shape[:2]
    scale = (_CELL - 4) / max(height, width)  # 2 px of paper on each side
    return resize(picture, max(1, round(height * scale)), max(1, round(width * scale)))
