"""Render labelled stills as the moving pictures of a shot: side by side, panned, zoomed, subtitled.

A still is always fully visible except for the edges that a camera leaves out, so that the labelled
character stays in the picture. If its aspect leaves margins, they show the still out of focus.
"""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from fractions import Fraction
from functools import cached_property
from math import sqrt
from typing import Final

import cv2
import numpy as np
from numpy.typing import NDArray
from PIL import Image, ImageDraw, ImageFont

from model.errors import ModelError
from model.pictures.preprocess import resize
from model.scenes.augmentation import cover
from model.scenes.changes import UNRECOGNISABLE, soften
from model.scenes.seen import Area, Picture

SHORTEST_SIDE: Final = 64  # nobody could be recognised in a smaller frame
LONGEST_SIDE: Final = 1920  # enough for all pixels of a still
WIDEST: Final = 3  # aspect ratio; the widest films have 2.76

Camera = tuple[NDArray[np.float64], NDArray[np.float64]]
"""State at the beginning and at the end: the visible share, and the position of the view, across
and down, as a share of the rest."""

HELD: Final[Camera] = (np.array([1.0, 0.5, 0.5]), np.array([1.0, 0.5, 0.5]))
"""A camera that shows everything and does not move."""

CLOSEST: Final = 0.9
"""Least share of a still's height and width that a camera shows; hardly any figure is in the
rest."""

SUBTITLED: Final = 1 / 3
"""The share of shots with a subtitle."""

SUBTITLES: Final = (
    "Where were you last night?",
    "I was about to tell you.",
    "That is not what it looks like.",
    "Wait for me!",
    "Has anybody seen my keys?",
    "It will be all right.",
)

_TEXT_HEIGHT: Final = 1 / 14  # share of the picture's height, as in broadcasting
_TEXT_BOTTOM: Final = 0.94  # within the title-safe area
_EDGE: Final = 1 / 10  # outline of each letter, as a share of the text's height


@dataclass(frozen=True)
class Layout:
    """The size of an episode's frames and of the picture in them; the rest is black bars.

    Raises:
        ModelError: The size is not allowed.
    """

    width: int
    """Width of the frame in pixels, even."""
    height: int
    """Height of the frame in pixels, even."""
    aspect: Fraction | None = None
    """Aspect ratio of the picture (width / height); None for that of the frame."""

    def __post_init__(self) -> None:
        sides = self.width, self.height
        if min(sides) < SHORTEST_SIDE or max(sides) > LONGEST_SIDE or any(n % 2 for n in sides):
            raise ModelError(
                f"frames of {self.width}x{self.height}: give even sides of {SHORTEST_SIDE} to"
                f" {LONGEST_SIDE} pixels"
            )
        if self.aspect is not None and not Fraction(1, WIDEST) <= self.aspect <= WIDEST:
            raise ModelError(
                f"pictures of aspect {self.aspect}: give one from 1:{WIDEST} to {WIDEST}:1"
            )

    @cached_property
    def picture_size(self) -> tuple[int, int]:
        """Height and width of the picture in pixels, both even."""
        aspect = self.aspect or Fraction(self.width, self.height)
        height = min(self.height, 2 * round(self.width / aspect / 2))
        width = min(self.width, 2 * round(self.height * aspect / 2))
        return height, width

    def framed(self, picture: Picture) -> Picture:
        """Return a frame: a picture of `picture_size` with its black bars."""
        height, width = self.picture_size
        frame = np.zeros((self.height, self.width, 3), np.uint8)
        top, left = (self.height - height) // 2, (self.width - width) // 2
        frame[top : top + height, left : left + width] = picture
        return frame


def show_stills(
    stills: Sequence[Picture], layout: Layout, frames: int, rng: np.random.Generator
) -> Iterator[Picture]:
    """Yield a shot of one still, or of two side by side, each with its own camera.

    Args:
        stills: One or two, of any size.
        layout: The size of the pictures, which have no bars.
        frames: Number of pictures.
        rng: Draws the cameras, and the side of a single half.
    """
    views = [
        (side_by_side, draw_camera(rng))
        for side_by_side in _canvases(stills, layout.picture_size, rng)
    ]
    for number in range(frames):
        done = number / max(1, frames - 1)
        yield np.hstack([seen_by(canvas, camera, done) for canvas, camera in views])


def draw_camera(rng: np.random.Generator) -> Camera:
    """Return a camera that holds, pans or zooms."""
    move = rng.choice(("hold", "pan", "zoom"))
    if move == "hold":
        return HELD
    if move == "pan":
        first, last = (np.array([CLOSEST, *rng.random(2)]) for _ in range(2))
    else:
        first, last = HELD[0], np.array([CLOSEST, *rng.random(2)])
        if rng.random() < 0.5:
            first, last = last, first
    return first, last


def view_of(camera: Camera, done: float, width: int, height: int) -> Area:
    """Return a camera's view of a canvas of this size: left, top, right, bottom in its pixels."""
    first, last = camera
    share, across, down = (first + done * (last - first)).tolist()
    left, top = (1 - share) * across * width, (1 - share) * down * height
    return left, top, left + share * width, top + share * height


def seen_by(canvas: Picture, camera: Camera, done: float) -> Picture:
    """Return a camera's view of a canvas, in its size, when this share of the shot is over."""
    first, last = camera
    share, *places = (first + done * (last - first)).tolist()
    height, width = canvas.shape[:2]
    # maps pixels of the view to pixels of the canvas; the centre of pixel 0 is at 0
    source = np.array(
        [
            [share if axis == row else 0.0 for axis in range(2)]
            + [(1 - share) * places[row] * length - (1 - share) / 2]
            for row, length in enumerate((width, height))
        ]
    )
    flags = cv2.INTER_LINEAR | cv2.WARP_INVERSE_MAP
    return np.asarray(
        cv2.warpAffine(
            canvas, source, (width, height), flags=flags, borderMode=cv2.BORDER_REPLICATE
        ),
        np.uint8,
    )


def fill_picture(picture: Picture, layout: Layout) -> Picture:
    """Return a clip's picture in the layout's size, cropped to its centre."""
    return cover(picture, *layout.picture_size)


def mix(before: Picture, after: Picture, share: float) -> Picture:
    """Return a frame of a dissolve, given the weight of the later picture."""
    return np.asarray(cv2.addWeighted(after, share, before, 1 - share, 0), np.uint8)


def draw_subtitle(height: int, width: int, line: str) -> Image.Image:
    """Return a line of white letters with black outlines, on a transparent RGBA picture."""
    text_height = max(8, round(height * _TEXT_HEIGHT))
    overlay = Image.new("RGBA", (width, height))
    ImageDraw.Draw(overlay).text(
        (width / 2, height * _TEXT_BOTTOM),
        line,
        font=ImageFont.load_default(text_height),
        anchor="md",  # its centre, and the bottom of its lowest letter
        fill="white",
        stroke_fill="black",
        stroke_width=max(1, round(text_height * _EDGE)),
    )
    return overlay


def with_overlay(picture: Picture, overlay: Image.Image) -> Picture:
    """Return a picture with an RGBA picture of the same size on top."""
    painted = Image.fromarray(picture)
    painted.paste(overlay, mask=overlay)
    return np.asarray(painted)


def _canvases(
    stills: Sequence[Picture], size: tuple[int, int], rng: np.random.Generator
) -> list[Picture]:
    height, width = size
    left, right = width // 2, width - width // 2
    if len(stills) == 2:
        return [_whole(stills[0], height, left), _whole(stills[1], height, right)]
    still = stills[0]
    if still.shape[1] / still.shape[0] >= width / height / sqrt(2):  # closer to whole than to half
        return [_whole(still, height, width)]
    if rng.random() < 0.5:
        return [_whole(still, height, left), _out_of_focus(still, height, right)]
    return [_out_of_focus(still, height, left), _whole(still, height, right)]


def _whole(still: Picture, height: int, width: int) -> Picture:
    """Return a still as large as it fits, in front of itself out of focus."""
    scale = min(height / still.shape[0], width / still.shape[1])
    fitted = resize(
        still, max(1, round(still.shape[0] * scale)), max(1, round(still.shape[1] * scale))
    )
    canvas = _out_of_focus(still, height, width)
    top, left = (height - fitted.shape[0]) // 2, (width - fitted.shape[1]) // 2
    canvas[top : top + fitted.shape[0], left : left + fitted.shape[1]] = fitted
    return canvas


def _out_of_focus(still: Picture, height: int, width: int) -> Picture:
    return soften(cover(still, height, width), UNRECOGNISABLE)
