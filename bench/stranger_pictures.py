"""Turn drawings and photographs into pictures like frames without known characters.

Scenes are cropped. Figures, which are cut out already or stand on white paper, are placed before a
scene or a plain room, alone or in pairs, from close-up to whole figure. They never stand before a
single colour or a gradient: frames of episodes seldom look like that, but drawings of the known
characters do, and would be mistaken for clip art.
"""

from collections.abc import Sequence
from functools import lru_cache
from pathlib import Path
from typing import Final

import cv2
import numpy as np
from numpy.random import Generator
from numpy.typing import NDArray
from PIL import Image

from model.pictures.files import MAX_PIXELS

LONGEST_SIDE: Final = 176
"""Longest side of the results in pixels: regional networks see no more than 112."""

_LEAST_SIDE = 96  # smaller ones would be blurred by enlargement
_READ_SIDE = 480  # pixels: the smallest crop, 0.45 of a scene, need not be enlarged
_ASPECTS = ((16, 9), (4, 3), (8, 9), (2, 3), (3, 4))  # frames and their halves, and tall crops
_LEAST_ZOOM = 0.45  # of the largest crop: details of a scene, as in a close-up
_WHITE = 245  # paper in JPEG files is not quite 255
_HALO_GREY_LEVELS = 40  # JPEG artefacts on the paper beside a drawing's outline
_LEAST_CLEAR_SHARE = 0.1  # transparent share of a figure's rectangle
_FLAT_STD = 10  # grey levels: below is a plain wall, of which one is enough
_TWO_FIGURES = 0.35  # share of wide pictures
_SCENE_BEHIND = 0.7  # share of figures before a scene; the others stand in a room


@lru_cache(maxsize=600)  # 0.7 MB each
def read(path: Path) -> Image.Image | None:
    """Return a picture as RGBA, at most 480 pixels long; None if it is unsuitable."""
    try:
        with Image.open(path, formats=("JPEG", "PNG", "WEBP")) as opened:
            if min(opened.size) < _LEAST_SIDE or opened.width * opened.height > MAX_PIXELS:
                return None
            picture = opened.convert("RGBA")
    except (OSError, ValueError, SyntaxError, Image.DecompressionBombError):
        return None
    picture.thumbnail((_READ_SIDE, _READ_SIDE))
    picture = _without_paper(picture)
    box = picture.getchannel("A").point(lambda alpha: 255 * (alpha >= 128)).getbbox()
    if box is None:
        return None
    trimmed = picture.crop(box)
    return trimmed if max(trimmed.size) >= _LEAST_SIDE // 2 else None


def is_figure(picture: Image.Image) -> bool:
    """Tell whether a picture needs a background."""
    return bool((np.asarray(picture)[..., 3] < 128).mean() > _LEAST_CLEAR_SHARE)


def compose(
    picture: Image.Image, neighbours: Sequence[Path], scenes: Sequence[Path], rng: Generator
) -> Image.Image:
    """Return an RGB picture in the shape of a frame or a half, 176 pixels long.

    Args:
        picture: A scene, or a figure to be placed before a background.
        neighbours: Files from which another figure may be placed beside it.
        scenes: Files that may serve as background.
        rng: Random number generator.
    """
    size = _draw_size(rng)
    if not is_figure(picture):
        return _crop(picture, size, rng)
    figures = [picture]
    if size[0] > size[1] and rng.random() < _TWO_FIGURES:
        other = read(neighbours[int(rng.integers(len(neighbours)))])
        figures += [other] if other is not None and is_figure(other) else []
    made = _behind(size, scenes, rng)
    for slot, figure in enumerate(figures):
        _put(made, figure, slot, len(figures), rng)
    return made


def is_flat(picture: Image.Image) -> bool:
    """Tell whether a picture is almost empty."""
    return float(np.asarray(picture.convert("L")).std()) < _FLAT_STD


def _without_paper(picture: Image.Image) -> Image.Image:
    """Make the white around a figure transparent, but not the white within it."""
    pixels = np.array(picture)
    corners = pixels[[0, 0, -1, -1], [0, -1, 0, -1]]
    if corners.min() < _WHITE:
        return picture
    ringed = cv2.copyMakeBorder(
        pixels[..., :3], 1, 1, 1, 1, cv2.BORDER_CONSTANT, value=(255, 255, 255)
    )
    filled = np.zeros((ringed.shape[0] + 2, ringed.shape[1] + 2), np.uint8)
    reach = (_HALO_GREY_LEVELS,) * 3
    flags = 4 | cv2.FLOODFILL_MASK_ONLY | cv2.FLOODFILL_FIXED_RANGE
    cv2.floodFill(ringed, filled, (0, 0), (0, 0, 0), reach, reach, flags)
    pixels[..., 3][filled[2:-2, 2:-2] > 0] = 0
    return Image.fromarray(pixels)


def _draw_size(rng: Generator) -> tuple[int, int]:
    width, height = _ASPECTS[rng.integers(len(_ASPECTS))]
    scale = LONGEST_SIDE / max(width, height)
    return round(width * scale), round(height * scale)


def _crop(scene: Image.Image, size: tuple[int, int], rng: Generator) -> Image.Image:
    scale = min(scene.width / size[0], scene.height / size[1]) * rng.uniform(_LEAST_ZOOM, 1)
    width, height = size[0] * scale, size[1] * scale
    left, top = rng.uniform(0, scene.width - width), rng.uniform(0, scene.height - height)
    black = Image.new("RGBA", scene.size, (0, 0, 0, 255))
    opaque = Image.alpha_composite(black, scene).convert("RGB")
    box = (left, top, left + width, top + height)
    made = opaque.resize(size, Image.Resampling.LANCZOS, box=box)
    return _flipped(made, rng)


def _behind(size: tuple[int, int], scenes: Sequence[Path], rng: Generator) -> Image.Image:
    """Draw a background for figures, as RGB."""
    scene = read(scenes[int(rng.integers(len(scenes)))])
    if scene is not None and rng.random() < _SCENE_BEHIND:
        return _crop(scene, size, rng)
    width, height = size
    made = np.empty((height, width, 3), np.uint8)
    floor = int(height * rng.uniform(0.6, 0.9))
    made[:floor], made[floor:] = _draw_colour(rng), _draw_colour(rng)
    return Image.fromarray(made)


def _draw_colour(rng: Generator) -> NDArray[np.uint8]:
    hue, saturation, value = rng.integers(180), rng.integers(20, 220), rng.integers(60, 256)
    one = np.array([[[hue, saturation, value]]], np.uint8)
    return np.asarray(cv2.cvtColor(one, cv2.COLOR_HSV2RGB)[0, 0], np.uint8)


def _put(made: Image.Image, figure: Image.Image, slot: int, slots: int, rng: Generator) -> None:
    """Place a figure on a background, in one of `slots` equal columns."""
    column = made.width / slots
    # up to 1.7 heights: head and shoulders; a wide thing may leave the column by an eighth
    scale = min(rng.uniform(0.7, 1.7) * made.height / figure.height, 1.25 * column / figure.width)
    size = (max(1, round(figure.width * scale)), max(1, round(figure.height * scale)))
    sized = _flipped(figure.resize(size, Image.Resampling.LANCZOS), rng)
    left = (slot + 0.5) * column + rng.normal(0, 0.1) * column - size[0] / 2
    standing = made.height - size[1] + rng.uniform(-0.05, 0.1) * made.height
    # a figure taller than the picture loses its feet, not its head
    hanging = rng.uniform(-0.05, 0.15) * made.height
    top = standing if size[1] < made.height else max(standing, hanging)
    made.paste(sized, (round(left), round(top)), sized)


def _flipped(picture: Image.Image, rng: Generator) -> Image.Image:
    flips = rng.random() < 0.5
    return picture.transpose(Image.Transpose.FLIP_LEFT_RIGHT) if flips else picture
