"""Convert picture files to RGB arrays, and back; their content determines the format."""

import struct
from collections.abc import Mapping
from io import BytesIO
from pathlib import Path
from typing import Any, Final

import cv2
import numpy as np
from numpy.typing import NDArray
from PIL import ExifTags, Image, UnidentifiedImageError

from model.errors import StillsError

MAX_PIXELS: Final = 50_000_000
"""Most pixels of a picture; larger ones are refused before decoding. 8K video has 33 million."""

_FORMATS: Final = ("JPEG", "PNG", "BMP", "GIF", "WEBP")  # other formats are refused
_JPEG_QUALITY: Final = 95  # the highest quality that Pillow's documentation recommends
UNREADABLE: Final = (
    # raised by Pillow's decoders for damaged content, and by its readers of EXIF
    *(OSError, ValueError, SyntaxError, Image.DecompressionBombError),
    *(struct.error, TypeError, LookupError, EOFError),
)
"""Errors that Pillow raises for files that are damaged or not pictures."""

_TURNS: Final[Mapping[Any, Image.Transpose]] = {
    # by EXIF's orientation (CIPA DC-008, 4.6.5); 1 is upright
    2: Image.Transpose.FLIP_LEFT_RIGHT,
    3: Image.Transpose.ROTATE_180,
    4: Image.Transpose.FLIP_TOP_BOTTOM,
    5: Image.Transpose.TRANSPOSE,
    6: Image.Transpose.ROTATE_270,
    7: Image.Transpose.TRANSVERSE,
    8: Image.Transpose.ROTATE_90,
}
_TURNED_ASIDE: Final = (5, 6, 7, 8)  # width and height are swapped
_BLACK: Final = (0, 0, 0, 255)  # transparent parts become black, like the padding of preprocessing


def read_picture(content: bytes) -> NDArray[np.uint8]:
    """Decode a picture file.

    Args:
        content: Content of a JPEG, PNG, BMP, GIF (its first frame) or WebP file, in any colour
            mode. It is rotated by its EXIF orientation; transparent parts become black.

    Returns:
        (height, width, 3) RGB.

    Raises:
        StillsError: The content has another format, is damaged or too large.
    """
    try:
        with Image.open(BytesIO(content), formats=_FORMATS) as picture:
            if picture.width * picture.height > MAX_PIXELS:
                raise StillsError(f"{picture.width}x{picture.height} pixels: shrink the picture")
            return np.asarray(_to_rgb(_upright(picture)), np.uint8)
    except UnidentifiedImageError as error:
        raise StillsError(f"not a {', '.join(_FORMATS)} picture") from error
    except UNREADABLE as error:
        raise StillsError(f"damaged picture ({error})") from error


def upright_size(path: Path) -> tuple[int, int]:
    """Return width and height in pixels as `read_picture` gives them, reading only the header.

    Raises:
        StillsError: The file is not such a picture.
    """
    try:
        with Image.open(path, formats=_FORMATS) as picture:
            is_turned = picture.getexif().get(ExifTags.Base.Orientation) in _TURNED_ASIDE
            width, height = picture.size
    except UNREADABLE as error:
        raise StillsError(f"not a {', '.join(_FORMATS)} picture, or damaged") from error
    return (height, width) if is_turned else (width, height)


def to_png(picture: NDArray[np.uint8]) -> bytes:
    """Return a picture (height, width, 3) RGB as the content of a lossless PNG file."""
    # the fastest level: the next ones save 1 and 2 % of a still for a sixth and a half more time
    parameters = [cv2.IMWRITE_PNG_COMPRESSION, 1]
    is_done, content = cv2.imencode(".png", cv2.cvtColor(picture, cv2.COLOR_RGB2BGR), parameters)
    assert is_done, "an RGB picture can always be encoded"
    return content.tobytes()


def to_jpeg(picture: NDArray[np.uint8], comment: str) -> bytes:
    """Return a picture (height, width, 3) RGB as the content of a JPEG file with a comment."""
    buffer = BytesIO()
    # 4:4:4, because chroma subsampling would blur the edges between a cartoon's flat colours
    Image.fromarray(picture).save(
        buffer, "JPEG", quality=_JPEG_QUALITY, subsampling=0, comment=comment.encode()
    )
    return buffer.getvalue()


def _upright(picture: Image.Image) -> Image.Image:
    # ImageOps.exif_transpose rewrites the other tags, and fails on those that it cannot write
    turn = _TURNS.get(picture.getexif().get(ExifTags.Base.Orientation))
    return picture if turn is None else picture.transpose(turn)


def _to_rgb(picture: Image.Image) -> Image.Image:
    if picture.has_transparency_data:
        opaque = Image.new("RGBA", picture.size, _BLACK)
        return Image.alpha_composite(opaque, picture.convert("RGBA")).convert("RGB")
    if picture.mode.startswith("I"):  # 16-bit grey, which Pillow would clip instead of scaling
        return Image.fromarray((np.asarray(picture, np.uint32) >> 8).astype(np.uint8)).convert(
            "RGB"
        )
    return picture.convert("RGB")
