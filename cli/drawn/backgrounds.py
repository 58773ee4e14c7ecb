"""Backgrounds for the drawn cast, in the same colours as the cast itself."""

from collections.abc import Callable, Sequence

import numpy as np
from PIL import Image, ImageDraw

SUPERSAMPLING = 2  # distant objects may be a little softer than figures

SKIES = ("#bfe3f5", "#f9d9a8", "#f3b7c6", "#2d3561", "#d8d3ee", "#8fc7b5")
GROUNDS = ("#7fae4e", "#d9b26f", "#b98a5a", "#8f9aa6", "#5f8f72", "#6a5a86")
WALLS = ("#e8c9a0", "#b5cfe0", "#d9a7a0", "#c7d8a8", "#c0b2d8", "#7f98a8", "#f0e0b8")
THINGS = ("#d63a45", "#2f4b9b", "#f08a2c", "#4caf50", "#7d51a8", "#f5ca4b", "#2fa39a", "#fbfbf7")


class Scenery:
    """A canvas in units of the picture's height: y from 0 (top) to 1, x from 0 to `aspect`."""

    def __init__(self, width: int, height: int, rng: np.random.Generator) -> None:
        self.aspect = width / height
        self.rng = rng
        self._unit = height * SUPERSAMPLING
        self._image = Image.new("RGB", (width * SUPERSAMPLING, self._unit))
        self._draw = ImageDraw.Draw(self._image)

    def choose(self, colours: Sequence[str]) -> str:
        """Return one of the colours."""
        return colours[int(self.rng.integers(len(colours)))]

    def between(self, low: float, high: float) -> float:
        """Return a number from low to high."""
        return float(self.rng.uniform(low, high))

    def box(self, x: float, y: float, width: float, height: float, fill: str) -> None:
        """Draw a rectangle."""
        self._draw.rectangle(self._scaled(x, y, x + width, y + height), fill)

    def oval(self, x: float, y: float, rx: float, ry: float, fill: str) -> None:
        """Draw an ellipse around (x, y)."""
        self._draw.ellipse(self._scaled(x - rx, y - ry, x + rx, y + ry), fill)

    def shape(self, corners: Sequence[float], fill: str) -> None:
        """Draw a polygon of x, y, x, y, ..."""
        self._draw.polygon(self._scaled(*corners), fill)

    def picture(self) -> Image.Image:
        """Return the drawing as RGB at its final size."""
        return self._image.reduce(SUPERSAMPLING)

    def _scaled(self, *numbers: float) -> list[float]:
        return [number * self._unit for number in numbers]


def draw_background(width: int, height: int, rng: np.random.Generator) -> Image.Image:
    """Draw a background without any figure.

    Returns:
        An RGB picture of that size in pixels.
    """
    scenery = Scenery(width, height, rng)
    PLACES[int(rng.integers(len(PLACES)))](scenery)
    return scenery.picture()


def _hills(scenery: Scenery) -> None:
    """Draw hills under a sky, with sun, clouds and some trees."""
    _sky(scenery)
    for horizon in (0.62, 0.74):
        fill = scenery.choose(GROUNDS)
        for _ in range(4):
            x, spread = scenery.between(0, scenery.aspect), scenery.between(0.4, 0.9)
            scenery.oval(x, horizon + 0.35, spread, scenery.between(0.3, 0.42), fill)
        scenery.box(0, horizon + 0.18, scenery.aspect, 1, fill)
    for _ in range(int(scenery.rng.integers(1, 5))):
        x, y, size = (
            scenery.between(0, scenery.aspect),
            scenery.between(0.6, 0.75),
            scenery.between(0.08, 0.16),
        )
        scenery.box(x - size / 8, y, size / 4, size * 1.2, "#7a5233")
        scenery.oval(x, y, size * 0.7, size, scenery.choose(("#4c8a45", "#86a83f", "#c9782f")))


def _room(scenery: Scenery) -> None:
    """Draw a room with a floor, a window and pictures on its wall."""
    scenery.box(0, 0, scenery.aspect, 1, scenery.choose(WALLS))
    floor = scenery.between(0.7, 0.85)
    scenery.box(0, floor, scenery.aspect, 1, scenery.choose(GROUNDS))
    scenery.box(0, floor - 0.03, scenery.aspect, 0.03, scenery.choose(WALLS))
    for _ in range(int(scenery.rng.integers(2, 5))):
        x, y = scenery.between(0, scenery.aspect), scenery.between(0.05, 0.3)
        wide, high = scenery.between(0.15, 0.35), scenery.between(0.15, 0.35)
        scenery.box(x - 0.02, y - 0.02, wide + 0.04, high + 0.04, "#5a4632")
        scenery.box(x, y, wide, high, scenery.choose(SKIES))
        scenery.oval(x + wide / 2, y + high / 2, wide / 4, high / 4, scenery.choose(THINGS))
    x, wide = scenery.between(0, scenery.aspect), scenery.between(0.2, 0.5)
    scenery.box(x, floor - 0.2, wide, 0.28, scenery.choose(THINGS))


def _town(scenery: Scenery) -> None:
    """Draw houses side by side behind a street."""
    _sky(scenery)
    x = -0.1
    while x < scenery.aspect:
        wide, top = scenery.between(0.18, 0.4), scenery.between(0.15, 0.5)
        scenery.box(x, top, wide, 1, scenery.choose((*WALLS, *GROUNDS)))
        lit = scenery.choose(("#f5ca4b", "#d8e8f0", "#39415f"))
        for row in np.arange(top + 0.06, 0.75, 0.14):
            for column in np.arange(x + 0.04, x + wide - 0.06, 0.1):
                scenery.box(float(column), float(row), 0.05, 0.07, lit)
        x += wide
    scenery.box(0, 0.8, scenery.aspect, 1, "#6e737d")


def _beach(scenery: Scenery) -> None:
    """Draw sea, sand and a parasol."""
    _sky(scenery)
    scenery.box(0, 0.5, scenery.aspect, 1, scenery.choose(("#3f8fc4", "#2fa39a", "#4a5fa8")))
    scenery.shape(
        [0, 0.72, scenery.aspect, scenery.between(0.66, 0.8), scenery.aspect, 1, 0, 1], "#ecd08f"
    )
    x, fill = scenery.between(0.1, scenery.aspect), scenery.choose(THINGS)
    scenery.box(x - 0.01, 0.5, 0.02, 0.4, "#7a5233")
    scenery.shape([x - 0.25, 0.52, x, 0.35, x + 0.25, 0.52], fill)
    scenery.oval(scenery.between(0, scenery.aspect), 0.88, 0.06, 0.06, scenery.choose(THINGS))


def _stage(scenery: Scenery) -> None:
    """Draw a striped curtain, as in a theatre."""
    first, second = scenery.rng.permutation(WALLS)[:2]
    wide = scenery.between(0.08, 0.2)
    for i, x in enumerate(np.arange(0, scenery.aspect, wide)):
        scenery.box(float(x), 0, wide, 1, str((first, second)[i % 2]))
    scenery.box(0, scenery.between(0.8, 0.88), scenery.aspect, 1, scenery.choose(GROUNDS))


def _sky(scenery: Scenery) -> None:
    scenery.box(0, 0, scenery.aspect, 1, scenery.choose(SKIES))
    size = scenery.between(0.05, 0.1)
    scenery.oval(
        scenery.between(0, scenery.aspect), scenery.between(0.08, 0.3), size, size, "#fbeaa0"
    )
    for _ in range(int(scenery.rng.integers(0, 4))):
        x, y, size = (
            scenery.between(0, scenery.aspect),
            scenery.between(0.08, 0.35),
            scenery.between(0.05, 0.09),
        )
        for shift in (-1.2, 0, 1.2):
            scenery.oval(x + shift * size, y, size * 1.2, size * (0.7 if shift else 1), "#fbfbf7")


PLACES: Sequence[Callable[[Scenery], None]] = (_hills, _room, _town, _beach, _stage)
