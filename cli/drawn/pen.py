"""A pen for cartoons: inked shapes in units of a figure's height, with smooth edges."""

from collections.abc import Sequence
from math import cos, pi, radians, sin
from typing import TypeAlias

from PIL import Image, ImageDraw

Point: TypeAlias = tuple[float, float]
"""x from the middle of the figure (-0.5 to 0.5), y from its top (0) to its feet (1)."""

INK = "#1d1d2b"
SUPERSAMPLING = 3  # Pillow draws hard edges; 9 dots per pixel make them smooth enough for a still
INK_WIDTH = 0.014  # share of the figure's height: 3 px on a figure of 200 px, as in cel animation
ROOM = 1.4  # canvas size: hats, raised arms and a tilt need space around the figure's unit square
CORNERS = 40  # corners of the polygon for an ellipse; its sides stay below 3 px in an episode


class Pen:
    """Draws one figure on a transparent square, `ROOM` times as wide as the figure is high."""

    def __init__(self, height_pixels: int, tilt_degrees: float, *, mirrored: bool) -> None:
        self._unit = height_pixels * SUPERSAMPLING
        self._side = round(height_pixels * ROOM) * SUPERSAMPLING
        # Points are rotated as they are drawn: rotating the picture would blur it and take longer.
        self._cos, self._sin = cos(radians(tilt_degrees)), sin(radians(tilt_degrees))
        self._mirror = -1 if mirrored else 1
        self._image = Image.new("RGBA", (self._side, self._side))
        self._draw = ImageDraw.Draw(self._image)

    def shape(self, corners: Sequence[Point], fill: str, *, inked: bool = True) -> None:
        """Draw a polygon, closing its outline."""
        self._fill(corners, fill)
        if inked:
            self.stroke([*corners, *corners[:2]])

    def oval(
        self, centre: Point, radii: tuple[float, float], fill: str, *, inked: bool = True
    ) -> None:
        """Draw an ellipse; its outline lies inside."""
        radius_x, radius_y = radii
        if inked:  # two fills are much faster than a fill and a line with forty joints
            self._fill(_arc(centre, radii, 0, 2 * pi, CORNERS), INK)
            radius_x, radius_y = max(radius_x - INK_WIDTH, 0), max(radius_y - INK_WIDTH, 0)
        self._fill(_arc(centre, (radius_x, radius_y), 0, 2 * pi, CORNERS), fill)

    def box(
        self, top_left: Point, size: tuple[float, float], fill: str, corner: float = 0.03
    ) -> None:
        """Draw a rectangle with rounded corners; its outline lies inside."""
        for colour, inset in ((INK, 0.0), (fill, INK_WIDTH)):
            x, y = top_left[0] + inset, top_left[1] + inset
            width, height = size[0] - 2 * inset, size[1] - 2 * inset
            if width > 0 and height > 0:
                self._fill(_rounded(x, y, width, height, max(corner - inset, 0)), colour)

    def limb(self, joints: Sequence[Point], width: float, fill: str) -> None:
        """Draw an arm, a leg or a tail: a line with round ends and joints."""
        points = [self._at(joint) for joint in joints]
        for colour, dots in ((INK, self._dots(width + 2 * INK_WIDTH)), (fill, self._dots(width))):
            self._draw.line(points, colour, dots, joint="curve")
            for point in points:
                self._draw.circle(point, dots / 2, colour)

    def stroke(self, points: Sequence[Point], width: float = INK_WIDTH, colour: str = INK) -> None:
        """Draw a bare line."""
        ends = [self._at(point) for point in points]
        self._draw.line(ends, colour, self._dots(width), joint="curve")

    def picture(self) -> Image.Image:
        """Return the drawing as RGBA at its final size."""
        return self._image.reduce(SUPERSAMPLING)

    def _fill(self, corners: Sequence[Point], fill: str) -> None:
        self._draw.polygon([self._at(corner) for corner in corners], fill)

    def _dots(self, width: float) -> int:
        return max(round(width * self._unit), 1)

    def _at(self, point: Point) -> tuple[float, float]:
        x, y = point[0], point[1] - 0.5  # relative to the centre of rotation
        turned = x * self._cos - y * self._sin, x * self._sin + y * self._cos
        middle = self._side / 2
        return middle + self._mirror * turned[0] * self._unit, middle + turned[1] * self._unit


def _arc(
    centre: Point, radii: tuple[float, float], start: float, end: float, steps: int
) -> list[Point]:
    """Return points on an ellipse between two angles in radians, both included."""
    angles = [start + (end - start) * i / steps for i in range(steps + 1)]
    return [(centre[0] + radii[0] * cos(a), centre[1] + radii[1] * sin(a)) for a in angles]


def _rounded(x: float, y: float, width: float, height: float, corner: float) -> list[Point]:
    """Return the outline of a rectangle with rounded corners."""
    radius = min(corner, width / 2, height / 2)
    left, right, top, bottom = x + radius, x + width - radius, y + radius, y + height - radius
    # Clockwise from the lower right corner, each a quarter of a turn (y points down).
    middles = (right, bottom), (left, bottom), (left, top), (right, top)
    return [
        point
        for i, middle in enumerate(middles)
        for point in _arc(middle, (radius, radius), i * pi / 2, (i + 1) * pi / 2, 6)
    ]
