"""Draw contact sheets: many thumbnails on one picture, in named rows."""

from collections.abc import Sequence
from io import BytesIO
from typing import Final

import numpy as np
from numpy.typing import NDArray
from PIL import Image, ImageDraw, ImageFont

from model.pictures.fonts import image_font
from model.pictures.preprocess import resize

PER_ROW: Final = 12
"""Pictures in a row: with their names a sheet is 1,264 px wide, which fits a screen."""

CAPTIONED_PER_ROW: Final = 6
"""Captioned pictures in a row: 36 make a square of 1,056 px."""

CELL: Final = 88
"""Pixels of a cell: a face is recognisable, and 50 rows are 4,400 px high."""

LARGE_CELL: Final = 2 * CELL
"""Pixels of a cell with readable labels of boxes: half as many fit into a row."""

MARGIN: Final = 4
"""Empty pixels in a cell, on both sides together."""

_NAME_WIDTH: Final = 208  # px: the longest of 49 labels has 25 letters
_LETTER: Final = 14  # px
_CAPTIONED_PICTURE: Final = 144  # px: half as large again as the usual network input of 96
_CAPTION_MARGIN: Final = 32  # px: with the picture, room for 25 letters of the caption
_CAPTION_LETTER: Final = 12  # px
_CAPTION_LINE: Final = 16  # px
_PAPER: Final = (255, 255, 255)
_INK: Final = (30, 30, 30)


def contact_sheet(
    rows: Sequence[tuple[str, Sequence[NDArray[np.uint8]]]], cell: int = CELL
) -> bytes:
    """Return a contact sheet as the content of a PNG file.

    Args:
        rows: Each a name and its pictures (height, width, 3) RGB of any size, of which the first
            `per_row(cell)` are shown.
        cell: Pixels of a cell.
    """
    size = (_NAME_WIDTH + per_row(cell) * cell, max(1, len(rows)) * cell)
    sheet = Image.new("RGB", size, _PAPER)
    pen = ImageDraw.Draw(sheet)
    for row, (name, pictures) in enumerate(rows):
        pen.text((4, row * cell + cell // 2 - _LETTER), name, _INK, image_font(name, _LETTER))
        for column, picture in enumerate(pictures[: per_row(cell)]):
            small = _thumbnail(picture, cell)
            left = _NAME_WIDTH + column * cell + (cell - small.shape[1]) // 2
            top = row * cell + (cell - small.shape[0]) // 2
            sheet.paste(Image.fromarray(small), (left, top))
    return _png(sheet)


def per_row(cell: int) -> int:
    """Return the number of pictures in a row of a contact sheet."""
    return PER_ROW * CELL // cell


def captioned_sheet(
    pictures: Sequence[tuple[NDArray[np.uint8], Sequence[str]]],
    if_none: str,
    side: int = _CAPTIONED_PICTURE,
) -> bytes:
    """Return rows of pictures with captions beneath, as the content of a PNG file.

    Args:
        pictures: Each (height, width, 3) RGB of any size, and the lines of its caption.
        if_none: Text that is written if there are no pictures.
        side: Pixels of a picture's longer side.
    """
    width = side + _CAPTION_MARGIN
    lines = max((len(caption) for _, caption in pictures), default=0)
    height = side + lines * _CAPTION_LINE + _LETTER  # space above the next row
    rows = max(1, -(-len(pictures) // CAPTIONED_PER_ROW))
    sheet = Image.new("RGB", (CAPTIONED_PER_ROW * width, rows * height), _PAPER)
    pen = ImageDraw.Draw(sheet)
    if not pictures:
        pen.text((_LETTER, _LETTER), if_none, _INK, image_font(if_none, _CAPTION_LETTER))
    for number, (picture, caption) in enumerate(pictures):
        row, column = divmod(number, CAPTIONED_PER_ROW)
        left, top = column * width, row * height
        small = _thumbnail(picture, side)
        margin = (width - small.shape[1]) // 2
        sheet.paste(Image.fromarray(small), (left + margin, top + 2))
        for line, text in enumerate(caption):
            font = image_font(text, _CAPTION_LETTER)
            place = left + width // 2, top + side + line * _CAPTION_LINE
            pen.text(place, _shortened(text, font, width - 4), _INK, font, anchor="ma")
    return _png(sheet)


def _png(sheet: Image.Image) -> bytes:
    buffer = BytesIO()
    sheet.save(buffer, "PNG")
    return buffer.getvalue()


def _shortened(text: str, font: ImageFont.FreeTypeFont | ImageFont.ImageFont, width: int) -> str:
    """Cut a text off before the next caption begins."""
    if font.getlength(text) <= width:
        return text
    while font.getlength(text + "...") > width:
        text = text[:-1]
    return text + "..."


def _thumbnail(picture: NDArray[np.uint8], cell: int) -> NDArray[np.uint8]:
    height, width = picture.shape[:2]
    scale = (cell - MARGIN) / max(height, width)
    return resize(picture, max(1, round(height * scale)), max(1, round(width * scale)))
