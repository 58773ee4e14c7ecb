"""The preprocessing that turns a picture into a network's input, in training and at inference.

The rule is that of the original dataset, with the sizes as parameters: a picture no larger than the
network's input is resized to fit it. A picture larger in either dimension is resized to fit the
canvas, a larger square, whose centre is cropped, so that the character, mostly in the centre,
keeps more pixels. The aspect ratio is kept, margins are black, and pixels stay uint8
without further filtering.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Final, NamedTuple

import cv2
import numpy as np
from numpy.typing import NDArray

from model.errors import ModelError


@dataclass(frozen=True)
class Preprocessing:
    """The rule for square inputs, with its sizes.

    Raises:
        ModelError: The canvas is smaller than its crop, or the margins are uneven.
    """

    name: str
    """Its name in manifests."""
    canvas_side: int
    """Height and width in pixels of the canvas that a larger picture is fitted to before the
    crop."""
    side: int
    """Height and width in pixels of the network's input."""

    def __post_init__(self) -> None:
        if not 0 < self.side <= self.canvas_side or (self.canvas_side - self.side) % 2:
            raise ModelError(
                f"preprocessing {self.name}: {self.side} pixels cannot be the middle of "
                f"{self.canvas_side}; give two even or two odd sides, the canvas the larger one"
            )

    @property
    def shape(self) -> tuple[int, int]:
        """Height and width in pixels of the network's input."""
        return self.side, self.side

    @property
    def margin(self) -> int:
        """Number of pixels that the crop removes at each side of the canvas."""
        return (self.canvas_side - self.side) // 2

    def preprocess(self, picture: NDArray[np.uint8]) -> NDArray[np.uint8]:
        """Return a picture as the network's input.

        Args:
            picture: (height, width, 3) RGB, of any size and aspect from 1x1.

        Returns:
            (side, side, 3) uint8, a view of a larger array.

        Raises:
            ModelError: The array is not an RGB picture.
        """
        return self.crop_middle(self.fit_to_canvas(picture))

    def fit_to_canvas(self, picture: NDArray[np.uint8]) -> NDArray[np.uint8]:
        """Return a picture fitted to the canvas that `preprocess` crops.

        Args:
            picture: (height, width, 3) RGB, of any size and aspect from 1x1.

        Returns:
            (canvas_side, canvas_side, 3) uint8, the picture centred on black.

        Raises:
            ModelError: The array is not an RGB picture.
        """
        fitted = self.fit(picture)
        height, width = fitted.shape[:2]
        top, left = (self.canvas_side - height) // 2, (self.canvas_side - width) // 2
        canvas = np.zeros((self.canvas_side, self.canvas_side, 3), np.uint8)
        canvas[top : top + height, left : left + width] = fitted
        return canvas

    def fit(self, picture: NDArray[np.uint8]) -> NDArray[np.uint8]:
        """Return a picture resized as on the canvas, without the black margins.

        Raises:
            ModelError: The array is not a (height, width, 3) RGB picture.
        """
        _check(picture)
        return resize(picture, *self.fitted_size(picture.shape[0], picture.shape[1]))

    def crop_middle(self, canvas: NDArray[np.uint8]) -> NDArray[np.uint8]:
        """Return the centre (..., side, side, 3) of one or more canvases, as a view."""
        kept = slice(self.margin, self.margin + self.side)
        return canvas[..., kept, kept, :]

    def fitted_size(self, height: int, width: int) -> tuple[int, int]:
        """Return the height and width in pixels that a picture of this size has on the canvas."""
        longest = max(height, width)
        target = self.side if longest <= self.side else self.canvas_side
        return _scaled(height, target, longest), _scaled(width, target, longest)


@dataclass(frozen=True)
class WholeFrame:
    """The rule for whole frames: a picture is fitted into a frame with black margins."""

    name: str
    """Its name in manifests."""
    width: int
    """In pixels, like the height."""
    height: int

    @property
    def shape(self) -> tuple[int, int]:
        """Height and width in pixels of the network's input."""
        return self.height, self.width

    def preprocess(self, picture: NDArray[np.uint8]) -> NDArray[np.uint8]:
        """Return a picture as the network's input.

        Args:
            picture: (height, width, 3) RGB, of any size and aspect from 1x1.

        Returns:
            (self.height, self.width, 3) uint8, the picture centred.

        Raises:
            ModelError: The array is not an RGB picture.
        """
        fitted = self.fit(picture)
        if fitted.shape[:2] == self.shape:
            return fitted
        area = self.area(*picture.shape[:2])
        frame = np.zeros((self.height, self.width, 3), np.uint8)
        frame[area.top : area.top + area.height, area.left : area.left + area.width] = fitted
        return frame

    def fit(self, picture: NDArray[np.uint8]) -> NDArray[np.uint8]:
        """Return a picture resized as in the frame, without the black margins.

        Raises:
            ModelError: The array is not a (height, width, 3) RGB picture.
        """
        _check(picture)
        area = self.area(*picture.shape[:2])
        return resize(picture, area.height, area.width)

    def area(self, height: int, width: int) -> "FrameArea":
        """Return the area of the frame that a picture of this size covers."""
        if width * self.height >= height * self.width:  # as wide as the frame, or wider
            fitted = _scaled(height, self.width, width), self.width
        else:
            fitted = self.height, _scaled(width, self.height, height)
        return FrameArea(
            (self.width - fitted[1]) // 2, (self.height - fitted[0]) // 2, fitted[1], fitted[0]
        )


class FrameArea(NamedTuple):
    """The area of a picture in a frame, in pixels."""

    left: int
    top: int
    width: int
    height: int


TASK: Final = Preprocessing("fit84_crop64", canvas_side=84, side=64)
"""The original task's sizes."""

FINE: Final = Preprocessing("fit112_crop96", canvas_side=112, side=96)
"""More than twice the pixels, and less cropped: a half of a 16:9 frame fills it to the edge."""

WIDE: Final = WholeFrame("fit256x192", width=256, height=192)
"""A 4:3 frame fills it, a 16:9 frame three quarters of it. Heads in a group have 20 pixels."""

PREPROCESSINGS: Final[Mapping[str, Preprocessing]] = {rule.name: rule for rule in (TASK, FINE)}
"""The rules for square inputs, by their names in manifests."""

WHOLE_FRAMES: Final[Mapping[str, WholeFrame]] = {rule.name: rule for rule in (WIDE,)}
"""The rules for whole frames, by their names in manifests."""


def preprocessing_named(name: str) -> Preprocessing:
    """Return a rule for square inputs by its name.

    Raises:
        ModelError: The name is unknown.
    """
    if name not in PREPROCESSINGS:
        raise ModelError(f"preprocessing {name!r} is unknown: use {', '.join(PREPROCESSINGS)}")
    return PREPROCESSINGS[name]


def whole_frame_named(name: str) -> WholeFrame:
    """Return a rule for whole frames by its name.

    Raises:
        ModelError: The name is unknown.
    """
    if name not in WHOLE_FRAMES:
        raise ModelError(f"preprocessing {name!r} is unknown: use {', '.join(WHOLE_FRAMES)}")
    return WHOLE_FRAMES[name]


def shape_seen(name: str) -> tuple[int, int]:
    """Return the height and width in pixels of the input that a rule gives.

    Raises:
        ModelError: The name is unknown.
    """
    rules: dict[str, Preprocessing | WholeFrame] = {**PREPROCESSINGS, **WHOLE_FRAMES}
    if name not in rules:
        raise ModelError(f"preprocessing {name!r} is unknown: use {', '.join(rules)}")
    return rules[name].shape


def resize(picture: NDArray[np.uint8], height: int, width: int) -> NDArray[np.uint8]:
    """Resize a picture: by area averaging to shrink it, by interpolation to enlarge it."""
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
