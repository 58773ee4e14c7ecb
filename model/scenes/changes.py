"""Image transformations for augmentation, one per function."""

import string
from typing import Final

import cv2
import numpy as np
from numpy.typing import NDArray

from model.pictures.preprocess import Preprocessing

UNRECOGNISABLE: Final = 1 / 40
"""Share of the pixels that remain of a picture that is out of focus."""

_LETTERS: Final = np.array(list(string.ascii_letters + "     .,!?"))
_SEPIA: Final = np.array(
    [[0.393, 0.769, 0.189], [0.349, 0.686, 0.168], [0.272, 0.534, 0.131]], np.float32
)
"""W3C, Filter Effects Module Level 1: sepia(1), a row for each of red, green and blue."""

_SUBTITLE_COLOURS: Final = ((255, 255, 255), (255, 255, 0))  # white, and yellow as on DVDs


def place(
    picture: NDArray[np.uint8],
    preprocessing: Preprocessing,
    side: int,
    *,
    mirrored: bool,
    zoom: float,
    stretch: float,
    shift: tuple[float, ...],
) -> NDArray[np.uint8]:
    """Place a picture before the network as preprocessing does, but shifted, zoomed or mirrored.

    Args:
        picture: A picture fitted to the canvas.
        preprocessing: The rule that defines the canvas.
        side: Height and width of the result in pixels; it shows the same view as the network's
            input at any size.
        mirrored: Whether left and right are swapped.
        zoom: Factor by which things shrink; 1 keeps their size.
        stretch: Factor by which things become narrower and taller; 1 keeps their shape.
        shift: Shift of the view across and down, as shares of the canvas' side.

    Returns:
        (side, side, 3), black outside the picture.
    """
    canvas_side = preprocessing.canvas_side
    top, left = ((canvas_side - length) // 2 for length in picture.shape[:2])
    per_pixel = preprocessing.side / side
    scale_x, scale_y = per_pixel * zoom * stretch, per_pixel * zoom / stretch
    if mirrored:
        scale_x = -scale_x
    middle_from, middle_to = (canvas_side - 1) / 2, (side - 1) / 2
    # maps pixels of the view to pixels of the picture
    source = np.array(
        [
            [scale_x, 0, middle_from + shift[0] * canvas_side - scale_x * middle_to - left],
            [0, scale_y, middle_from + shift[1] * canvas_side - scale_y * middle_to - top],
        ]
    )
    flags = cv2.INTER_LINEAR | cv2.WARP_INVERSE_MAP
    return np.asarray(cv2.warpAffine(picture, source, (side, side), flags=flags), np.uint8)


def recolour(picture: NDArray[np.uint8], gains: NDArray[np.floating]) -> NDArray[np.uint8]:
    """Multiply the three colour channels by these gains and clip at white."""
    curves = np.clip(np.arange(256)[:, None] * gains, 0, 255).astype(np.uint8)
    return np.asarray(cv2.LUT(picture, curves.reshape(256, 1, 3)), np.uint8)


def dye(picture: NDArray[np.uint8], rng: np.random.Generator) -> NDArray[np.uint8]:
    """Tint a picture with coloured light, as at night or in a dream, or reduce its saturation."""
    if rng.random() < 0.25:  # memories and old films are grey; most scenes are not
        grey = cv2.cvtColor(cv2.cvtColor(picture, cv2.COLOR_RGB2GRAY), cv2.COLOR_GRAY2RGB)
        share = rng.uniform(0.5, 1.0)
        return np.asarray(cv2.addWeighted(grey, share, picture, 1 - share, 0), np.uint8)
    # half to twice as much of each channel, without making the picture brighter as a whole
    gains = np.exp(rng.uniform(-0.7, 0.7, 3))
    return recolour(picture, gains / gains.max() * rng.uniform(0.6, 1.0))


def by_night(picture: NDArray[np.uint8], darkness: float) -> NDArray[np.uint8]:
    """Darken a picture as at night, blue the least; 0 leaves it unchanged, 1 makes it black."""
    left = 1 - darkness
    return recolour(picture, np.array([left * 0.6, left * 0.75, min(1.0, left * 1.2)]))


def in_sepia(picture: NDArray[np.uint8]) -> NDArray[np.uint8]:
    """Tint a picture brown like an old photograph, with the sepia matrix of CSS filters."""
    return np.asarray(cv2.transform(picture, _SEPIA), np.uint8)


def blend(
    picture: NDArray[np.uint8], other: NDArray[np.uint8], rng: np.random.Generator
) -> tuple[NDArray[np.uint8], float]:
    """Blend a picture with another of the same size (mixup); return the weight of the first.

    The weight is drawn from Beta(0.4, 0.4) as in mixup; the larger of the two weights goes to the
    first picture.
    """
    share = rng.beta(0.4, 0.4)
    kept = float(max(share, 1 - share))
    return np.asarray(cv2.addWeighted(picture, kept, other, 1 - kept, 0), np.uint8), kept


def patch(
    picture: NDArray[np.uint8], other: NDArray[np.uint8], rng: np.random.Generator
) -> tuple[NDArray[np.uint8], float]:
    """Paste a square of another picture of the same size (CutMix); return the share that is kept.

    The area of the square is uniformly distributed, as in CutMix.
    """
    side = picture.shape[0]
    length = round(side * float(np.sqrt(rng.random())))
    top, left = rng.integers(side - length + 1, size=2)
    changed = picture.copy()
    square = slice(top, top + length), slice(left, left + length)
    changed[square] = other[square]
    return changed, 1 - (length / side) ** 2


def soften(picture: NDArray[np.uint8], scale: float) -> NDArray[np.uint8]:
    """Shrink a picture by this factor and enlarge it again."""
    height, width = picture.shape[:2]
    size = (max(1, round(width * scale)), max(1, round(height * scale)))
    small = cv2.resize(picture, size, interpolation=cv2.INTER_AREA)
    return np.asarray(cv2.resize(small, (width, height), interpolation=cv2.INTER_LINEAR), np.uint8)


def compress(picture: NDArray[np.uint8], quality: int) -> NDArray[np.uint8]:
    """Compress a picture as JPEG at this quality, 1 to 100, and decode it."""
    bgr = cv2.cvtColor(picture, cv2.COLOR_RGB2BGR)
    _, content = cv2.imencode(".jpg", bgr, [cv2.IMWRITE_JPEG_QUALITY, quality])
    decoded = np.asarray(cv2.imdecode(content, cv2.IMREAD_COLOR), np.uint8)
    return np.asarray(cv2.cvtColor(decoded, cv2.COLOR_BGR2RGB), np.uint8)


def erase(picture: NDArray[np.uint8], rng: np.random.Generator) -> NDArray[np.uint8]:
    """Fill a rectangle of 2 to 20 % of the picture with one random colour."""
    rows, columns = picture.shape[:2]
    share, aspect = rng.uniform(0.02, 0.2), np.exp(rng.uniform(-0.7, 0.7))  # 1:2 to 2:1
    height = min(rows, round(rows * float(np.sqrt(share * aspect))))
    width = min(columns, round(columns * float(np.sqrt(share / aspect))))
    top, left = rng.integers(rows - height + 1), rng.integers(columns - width + 1)
    changed = picture.copy()
    changed[top : top + height, left : left + width] = rng.integers(0, 256, 3)
    return changed


def overlay_subtitle(picture: NDArray[np.uint8], rng: np.random.Generator) -> NDArray[np.uint8]:
    """Draw a line of letters with dark outlines along the bottom."""
    side = picture.shape[0]
    text = "".join(rng.choice(_LETTERS, int(rng.integers(8, 28))))
    scale = side / 96 * rng.uniform(0.25, 0.4)  # 5 to 9 pixels tall at a side of 96
    (width, _), _ = cv2.getTextSize(text, cv2.FONT_HERSHEY_SIMPLEX, scale, 1)
    corner = ((picture.shape[1] - width) // 2, round(side * rng.uniform(0.78, 0.97)))
    colour = _SUBTITLE_COLOURS[int(rng.integers(len(_SUBTITLE_COLOURS)))]
    changed = picture.copy()
    for ink, thickness in (((0, 0, 0), 3), (colour, 1)):
        cv2.putText(
            changed, text, corner, cv2.FONT_HERSHEY_SIMPLEX, scale, ink, thickness, cv2.LINE_AA
        )
    return changed


def overlay_logo(picture: NDArray[np.uint8], rng: np.random.Generator) -> NDArray[np.uint8]:
    """Draw a pale disc or box into a corner, like a channel's logo."""
    side = picture.shape[0]
    radius = max(1, round(side * rng.uniform(0.03, 0.07)))
    x, y = (
        int(rng.choice((2 * radius, length - 1 - 2 * radius))) for length in picture.shape[1::-1]
    )
    painted = picture.copy()
    colour = tuple(map(int, rng.integers(120, 256, 3)))
    if rng.random() < 0.5:
        cv2.circle(painted, (x, y), radius, colour, cv2.FILLED)
    else:
        corner = (x - radius, y - radius // 2)
        cv2.rectangle(painted, corner, (x + radius, y + radius // 2), colour, cv2.FILLED)
    opacity = rng.uniform(0.4, 1.0)
    return np.asarray(cv2.addWeighted(painted, opacity, picture, 1 - opacity, 0), np.uint8)
