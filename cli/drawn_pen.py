"""A pen for cartoons: inked shapes in units of a figure's height, with smooth edges."""

from collections.abc import Sequence
from typing import TypeAlias

from PIL import Image, ImageDraw

Point: TypeAlias = tuple[float, float]
"""x from the middle of the figure (-0.5 to 0.5), y from its top (0) to its feet (1)."""

INK = "#1d1d2b"
SUPERSAMPLING = 3  # Pillow draws hard edges; 9 dots per pixel make them smooth enough for a still
INK_WIDTH = 0.014  # of the figure's height: 3 px on a figure of 200 px, as in cel animation
ROOM = (
    1.4  # the canvas over the figure: hats, raised arms and a tilt need air around the unit square
)


class Pen:
    """Draws one figure on a transparent square, `ROOM` times as wide as the figure is high."""

    def __init__(self, height_pixels: int) -> None:
        self._unit = height_pixels * SUPERSAMPLING
        self._side = round(height_pixels * ROOM) * SUPERSAMPLING
        self._image = Image.new("RGBA", (self._side, self._side))
        self._draw = ImageDraw.Draw(self._image)
        self._ink_width = max(round(INK_WIDTH * self._unit), 1)

    def oval(
        self, centre: Point, radii: tuple[float, float], fill: str, *, inked: bool = True
    ) -> None:
        """An ellipse."""
        (x, y), (rx, ry) = centre, radii
        box = [*self._at((x - rx, y - ry)), *self._at((x + rx, y + ry))]
        self._draw.ellipse(box, fill, INK if inked else None, self._ink_width if inked else 0)

    def shape(self, corners: Sequence[Point], fill: str, *, inked: bool = True) -> None:
        """A polygon; its outline closes."""
        points = [self._at(corner) for corner in corners]
        self._draw.polygon(points, fill)
        if inked:
            self._draw.line([*points, points[0], points[1]], INK, self._ink_width, joint="curve")

    def box(
        self, top_left: Point, size: tuple[float, float], fill: str, corner: float = 0.03
    ) -> None:
        """A rectangle with rounded corners."""
        x, y = top_left
        ends = [*self._at(top_left), *self._at((x + size[0], y + size[1]))]
        self._draw.rounded_rectangle(ends, corner * self._unit, fill, INK, self._ink_width)

    def limb(self, joints: Sequence[Point], width: float, fill: str) -> None:
        """An arm, a leg or a tail: a line with round ends and joints."""
        for colour, wide in (
            (INK, width * self._unit + 2 * self._ink_width),
            (fill, width * self._unit),
        ):
            points = [self._at(joint) for joint in joints]
            self._draw.line(points, colour, round(wide), joint="curve")
            for x, y in points:
                radius = wide / 2
                self._draw.ellipse([x - radius, y - radius, x + radius, y + radius], colour)

    def stroke(self, points: Sequence[Point], width: float = INK_WIDTH, colour: str = INK) -> None:
        """A bare line."""
        ends = [self._at(point) for point in points]
        self._draw.line(ends, colour, max(round(width * self._unit), 1), joint="curve")

    def picture(self, tilt_degrees: float, *, mirrored: bool) -> Image.Image:
        """What was drawn, as RGBA at its final size."""
        image = self._image.reduce(SUPERSAMPLING)
        if tilt_degrees:  # turned when small already, for that is nine times as fast
            image = image.rotate(tilt_degrees, Image.Resampling.BICUBIC)
        return image.transpose(Image.Transpose.FLIP_LEFT_RIGHT) if mirrored else image

    def _at(self, point: Point) -> tuple[float, float]:
        margin = (self._side - self._unit) / 2
        return self._side / 2 + point[0] * self._unit, margin + point[1] * self._unit
