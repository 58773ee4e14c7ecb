"""Picture files as RGB arrays, and back; the content decides what a file is, not its name."""

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
"""A picture with more is refused before it is decoded; 8K video has 33 million."""

_FORMATS: Final = ("JPEG", "PNG", "BMP", "GIF", "WEBP")  # others are not looked into at all
_JPEG_QUALITY: Final = 95  # the most that Pillow's documentation advises
UNREADABLE: Final = (
    # what Pillow's decoders raise for damaged content, and its readers of EXIF besides
    *(OSError, ValueError, SyntaxError, Image.DecompressionBombError),
    *(struct.error, TypeError, LookupError, EOFError),
)
"""What Pillow raises for files that are damaged or no pictures."""

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
_TURNED_ASIDE: Final = (5, 6, 7, 8)  # width and height change places
_BLACK: Final = (0, 0, 0, 255)  # transparent parts become what preprocessing puts around pictures


def read_picture(content: bytes) -> NDArray[np.uint8]:
    """Decode a picture file.

    Args:
        content: of a JPEG, PNG, BMP, GIF (its first frame) or WebP file. Any colour mode; turned
            upright as its EXIF orientation says; transparent parts become black.

    Returns:
        (height, width, 3) RGB.

    Raises:
        StillsError: it is none of these, damaged or too large.
    """
    try:
        with Image.open(BytesIO(content), formats=_FORMATS) as picture:
            if picture.width * picture.height > MAX_PIXELS:
                raise StillsError(f"{picture.width}x{picture.height} pixels: shrink the picture")
            return np.asarray(_to_rgb(_upright(picture)), np.uint8)
    except UnidentifiedImageError as error:
        raise StillsError(f"no {', '.join(_FORMATS)} picture") from error
    except UNREADABLE as error:
        raise StillsError(f"damaged picture ({error})") from error


def upright_size(path: Path) -> tuple[int, int]:
    """Return the width and height in pixels that `read_picture` gives; only a file's head is read.

    Raises:
        StillsError: it is no such picture.
    """
    try:
        with Image.open(path, formats=_FORMATS) as picture:
            is_turned = picture.getexif().get(ExifTags.Base.Orientation) in _TURNED_ASIDE
            width, height = picture.size
    except UNREADABLE as error:
        raise StillsError(f"no {', '.join(_FORMATS)} picture, or damaged") from error
    return (height, width) if is_turned else (width, height)


def to_png(picture: NDArray[np.uint8]) -> bytes:
    """Return a picture (height, width, 3) RGB as a PNG file's content, without any loss."""
    # the fastest level: the next ones save 1 and 2 % of a still for a sixth and a half more time
    parameters = [cv2.IMWRITE_PNG_COMPRESSION, 1]
    is_done, content = cv2.imencode(".png", cv2.cvtColor(picture, cv2.COLOR_RGB2BGR), parameters)
    assert is_done, "an RGB picture can always be encoded"
    return content.tobytes()


def to_jpeg(picture: NDArray[np.uint8], comment: str) -> bytes:
    """Return a picture (height, width, 3) RGB as a JPEG file's content, with a comment in it."""
    buffer = BytesIO()
    # 4:4:4: cartoons are lines between flat colours, which halved colour would smear
    Image.fromarray(picture).save(
        buffer, "JPEG", quality=_JPEG_QUALITY, subsampling=0, comment=comment.encode()
    )
    return buffer.getvalue()


def _upright(picture: Image.Image) -> Image.Image:
    # not ImageOps.exif_transpose: it writes the other tags anew, and fails on those it cannot write
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
