"""Shared parts of all figures: colours, poses, eyes and arms."""

from dataclasses import dataclass
from math import cos, sin

from cli.drawn.pen import INK, Pen, Point

NAVY, SKY, TEAL, GREEN, MOSS = "#2f4b9b", "#6db6ea", "#2fa39a", "#4caf50", "#86a83f"
PURPLE, PINK, RED, ORANGE, YELLOW = "#7d51a8", "#f0a0b8", "#d63a45", "#f08a2c", "#f5ca4b"
BROWN, GREY, CREAM, WHITE = "#8f5d3d", "#a3adb8", "#ffe9cb", "#fbfbf7"


@dataclass(frozen=True, slots=True)
class Look:
    """Pose, costume and expression of a figure."""

    costume: int = 0
    """Number of the costume: 0 or 1."""
    left_arm: float = 0.3
    right_arm: float = 0.3
    """Angle in radians, from hanging straight down to the side."""
    gaze: Point = (0.0, 0.0)
    """Direction of the eyes, each from -1 to 1."""
    mouth: float = 0.3
    """Opening of the mouth, from 0, shut, to 1, wide open."""
    blinks: bool = False
    tilt_degrees: float = 0.0
    mirrored: bool = False


def eyes(pen: Pen, look: Look, *, centre: Point, apart: float, radius: float) -> None:
    """Draw two eyes with pupils, or two lids."""
    for side in (-1, 1):
        x, y = centre[0] + side * apart, centre[1]
        if look.blinks:
            pen.stroke([(x - radius, y), (x, y + radius / 2), (x + radius, y)], 0.02)
            continue
        pen.oval((x, y), (radius, radius), WHITE)
        pupil = radius * 0.5
        seen = x + pupil * 0.8 * look.gaze[0], y + pupil * 0.8 * look.gaze[1]
        pen.oval(seen, (pupil, pupil), INK)


def arms(
    pen: Pen, look: Look, *, shoulder: Point, length: float, width: float, sleeve: str
) -> None:
    """Draw two arms, each bent a little at its middle."""
    for side, angle in ((-1, look.left_arm), (1, look.right_arm)):
        x, y = side * shoulder[0], shoulder[1]
        elbow = x + side * length / 2 * sin(angle), y + length / 2 * cos(angle)
        bent = angle + 0.4
        hand = elbow[0] + side * length / 2 * sin(bent), elbow[1] + length / 2 * cos(bent)
        pen.limb([(x, y), elbow, hand], width, sleeve)
