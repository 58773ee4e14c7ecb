"""Convert a decoded frame to the small RGB picture that is stored.

The planes are first downscaled and then turned into RGB: the matrix is linear, so the picture is
the same, and at most 49 thousand pixels are converted instead of half a million or more.
"""

import re
from dataclasses import dataclass
from fractions import Fraction
from typing import TYPE_CHECKING, Any

import cv2
import numpy as np
import numpy.typing as npt

from exact.picture_area import PictureArea
from ingest.frames.colour import rgb_matrix
from ingest.frames.hdr import is_high_range, to_standard_range

if TYPE_CHECKING:
    from av.video.frame import VideoFrame
    from av.video.plane import VideoPlane

STORE_WIDTH, STORE_HEIGHT = 256, 192
"""Bounds of a stored picture, as displayed: 4:3 fills them, 16:9 has 256x144. This is the input
size of the dense networks, and 22 minutes at 2 per second stay under 20 MB."""

Picture = npt.NDArray[np.uint8]
Plane = npt.NDArray[Any]

_PLANAR = re.compile(r"(yuvj?4\d\dp(9|10|12|14|16)?(le)?|gray(9|10|12|14|16)?(le)?)")
"""Pixel formats whose planes hold one sample per element, and are read directly."""

_BITS: dict[str, int] = {}
"""Bits per code value, by the pixel formats met so far; 0 for those that are not read directly."""

_FULL_RANGE = 2
"""AVCOL_RANGE_JPEG of FFmpeg's libavutil/pixfmt.h."""


@dataclass(frozen=True)
class PictureShape:
    """The geometry by which frames become stored pictures."""

    area: PictureArea
    """The active part, in coded pixels after rotation, of frames of the size below."""
    frame_width: int
    """Frame width for which the area was found, after rotation."""
    frame_height: int
    """Frame height for which the area was found, after rotation."""
    rotation: int
    """Degrees counter-clockwise, a multiple of 90."""
    width: int
    """Width of the stored picture."""
    height: int
    """Height of the stored picture."""

    @classmethod
    def of(
        cls,
        area: PictureArea,
        frame_width: int,
        frame_height: int,
        rotation: int,
        sample_aspect_ratio: Fraction,
    ) -> "PictureShape":
        """Return the shape of stored pictures: in display proportions, never enlarged."""
        turned = rotation % 180 != 0
        ratio = 1 / sample_aspect_ratio if turned else sample_aspect_ratio
        shown_width = area.width * ratio
        scale = min(Fraction(1), STORE_WIDTH / shown_width, Fraction(STORE_HEIGHT, area.height))
        width, height = max(1, round(shown_width * scale)), max(1, round(area.height * scale))
        return cls(area, frame_width, frame_height, rotation, width, height)


def stored_picture(frame: "VideoFrame", shape: PictureShape) -> Picture:
    """Crop, downscale and convert one frame.

    Args:
        frame: A frame from the decoder.
        shape: The crop and the size of the result.

    Returns:
        uint8 (shape.height, shape.width, 3), RGB.
    """
    turns = _turns(shape)
    size = (shape.height, shape.width) if turns % 2 else (shape.width, shape.height)
    box = coded_area(shape)
    if _PLANAR.fullmatch(frame.format.name):
        rgb = _from_planes(frame, box, size)
    else:
        rgb = _from_any(frame, box, size)
    return np.ascontiguousarray(np.rot90(rgb, turns))


def luma_plane(frame: "VideoFrame") -> tuple[Plane, int, bool]:
    """Return the luma of a decoded frame.

    Returns:
        Code values, uint8 or uint16 (height, width), unrotated; the bits per code value; and
        whether they use the full range.
    """
    if _PLANAR.fullmatch(frame.format.name):
        bits = frame.format.components[0].bits
        return _samples(frame.planes[0], bits), bits, _is_full_range(frame)
    gray = frame.reformat(format="gray", threads=1)
    return _samples(gray.planes[0], 8), 8, True


def luma_and_chroma(frame: "VideoFrame") -> tuple[list[Plane], int]:
    """Return the planes Y, Cb and Cr of a frame, or Y alone; and the bits per code value.

    Returns:
        Code values, uint8 or uint16 (height, width), unrotated; chroma may have fewer of them.
    """
    name = frame.format.name
    if name not in _BITS:  # needed for every frame, and slow to find out
        _BITS[name] = frame.format.components[0].bits if _PLANAR.fullmatch(name) else 0
    bits = _BITS[name]
    if bits == 0:
        frame, bits = frame.reformat(format="yuv420p", threads=1), 8
    return [_samples(plane, bits) for plane in frame.planes], bits


def _is_full_range(frame: "VideoFrame") -> bool:
    return frame.color_range == _FULL_RANGE or frame.format.name.startswith(("yuvj", "gray"))


def _turns(shape: PictureShape) -> int:
    """Return the number of quarter turns counter-clockwise."""
    return round(shape.rotation / 90) % 4


Box = tuple[Fraction, Fraction, Fraction, Fraction]
"""Left, top, right and bottom as shares of the coded frame."""


def coded_area(shape: PictureShape) -> Box:
    """Return the area in the coded frame, before display rotates it counter-clockwise."""
    turns = _turns(shape)
    area, width, height = shape.area, shape.frame_width, shape.frame_height
    left, right = Fraction(area.x, width), Fraction(area.x + area.width, width)
    top, bottom = Fraction(area.y, height), Fraction(area.y + area.height, height)
    boxes: tuple[Box, Box, Box, Box] = (
        (left, top, right, bottom),
        (1 - bottom, left, 1 - top, right),
        (1 - right, 1 - bottom, 1 - left, 1 - top),
        (top, 1 - right, bottom, 1 - left),
    )
    return boxes[turns]


def _cut(plane: Plane, box: Box) -> Plane:
    rows, columns = plane.shape[:2]
    left, top, right, bottom = box
    x, y = min(round(left * columns), columns - 1), min(round(top * rows), rows - 1)
    return plane[
        y : max(y + 1, round(bottom * rows)),
        x : max(x + 1, round(right * columns)),
    ]


def _shrunk(
    plane: Plane,
    box: Box,
    size: tuple[int, int],
    is_interlaced: bool,
    last_step: int = cv2.INTER_AREA,
) -> Plane:
    """Crop and downscale by area: halves first, exact and 20 times as fast, then the rest."""
    cut = _cut(plane, box)
    if is_interlaced and len(cut) > 1:
        # The two fields show two moments; one field alone has no combing.
        cut = cut[::2]
    width, height = size
    while cut.shape[1] >= 2 * width and cut.shape[0] >= 2 * height:
        even = cut[: cut.shape[0] // 2 * 2, : cut.shape[1] // 2 * 2]
        half = (even.shape[1] // 2, even.shape[0] // 2)
        cut = cv2.resize(even, half, interpolation=cv2.INTER_AREA)
    return cv2.resize(cut, size, interpolation=last_step)


def _samples(plane: "VideoPlane", bits: int) -> Plane:
    kind: npt.DTypeLike = np.uint8 if bits == 8 else np.dtype("<u2")
    rows = np.frombuffer(memoryview(plane), kind)
    per_line = plane.line_size // rows.itemsize
    return rows.reshape(-1, per_line)[: plane.height, : plane.width]


def _from_planes(frame: "VideoFrame", box: Box, size: tuple[int, int]) -> Picture:
    bits = frame.format.components[0].bits
    planes = [
        _shrunk(
            _samples(plane, bits),
            box,
            size,
            frame.interlaced_frame,
            # Chroma has no fine lines to lose, and this saves 0.8 ms of 2.
            cv2.INTER_LINEAR if number else cv2.INTER_AREA,
        )
        for number, plane in enumerate(frame.planes)
    ]
    if len(planes) == 1:
        neutral = np.full_like(planes[0], 1 << (bits - 1))
        planes += [neutral, neutral]
    matrix = rgb_matrix(frame.colorspace, _is_full_range(frame), bits, frame.height)
    rgb = np.asarray(cv2.transform(cv2.merge(planes).astype(np.float32), matrix), np.float32)
    if is_high_range(frame.color_trc):
        rgb = to_standard_range(rgb, frame.color_trc, frame.color_primaries)
    rgb *= np.float32(255)
    np.rint(rgb, out=rgb)
    return np.clip(rgb, 0, 255, out=rgb).astype(np.uint8)


def _from_any(frame: "VideoFrame", box: Box, size: tuple[int, int]) -> Picture:
    """Convert palettes, packed and RGB formats, which FFmpeg's scaler first turns into RGB."""
    whole = frame.reformat(format="rgb24", threads=1).to_ndarray()
    return _shrunk(whole, box, size, frame.interlaced_frame)
