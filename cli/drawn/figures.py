"""The figures of the drawn cast, and strangers without a label.

Colours are shared on purpose (three of the cast wear orange, three blue, ...) and each figure has
two costumes, so that a classifier has to learn shapes and not one colour for each label.
"""

from collections.abc import Callable, Mapping
from math import cos, pi, sin
from typing import TypeAlias

from PIL import Image

from cli.drawn.look import (
    BROWN,
    CREAM,
    GREEN,
    GREY,
    MOSS,
    NAVY,
    ORANGE,
    PINK,
    PURPLE,
    RED,
    SKY,
    TEAL,
    WHITE,
    YELLOW,
    Look,
    arms,
    eyes,
)
from cli.drawn.pen import INK, Pen

Figure: TypeAlias = Callable[[Pen, Look], None]


def draw_figure(name: str, height_pixels: int, look: Look) -> Image.Image:
    """Draw a character or a stranger.

    Returns:
        A square RGBA picture, `drawn_pen.ROOM` times as wide as the figure is high, with the figure
        in its middle.
    """
    pen = Pen(height_pixels, look.tilt_degrees, mirrored=look.mirrored)
    {**FIGURES, **STRANGERS}[name](pen, look)
    return pen.picture()


def _captain_pip(pen: Pen, look: Look) -> None:
    """Draw a stout penguin in a captain's cap."""
    coat, band = ((NAVY, RED), (TEAL, NAVY))[look.costume]
    for side in (-1, 1):
        pen.oval((side * 0.13, 0.96), (0.12, 0.04), ORANGE)
    arms(pen, look, shoulder=(0.25, 0.52), length=0.27, width=0.09, sleeve=coat)
    pen.oval((0, 0.64), (0.29, 0.33), coat)
    pen.oval((0, 0.69), (0.2, 0.25), WHITE)
    pen.oval((0, 0.31), (0.2, 0.19), coat)
    for side in (-1, 1):
        pen.oval((side * 0.08, 0.32), (0.09, 0.11), WHITE, inked=False)
    eyes(pen, look, centre=(0, 0.3), apart=0.075, radius=0.045)
    opening = 0.03 + 0.05 * look.mouth
    pen.shape([(-0.07, 0.38), (0.07, 0.38), (0, 0.40 + opening)], RED)
    pen.shape([(-0.09, 0.385), (0, 0.345), (0.09, 0.385), (0, 0.41)], ORANGE)
    pen.box((-0.2, 0.12), (0.4, 0.07), band)
    pen.shape([(-0.26, 0.13), (-0.2, 0.02), (0.2, 0.02), (0.26, 0.13)], WHITE)
    pen.oval((0, 0.155), (0.035, 0.035), YELLOW)


def _lady_marrow(pen: Pen, look: Look) -> None:
    """Draw a tall lady in a bell dress under a vast hat."""
    dress, hat = ((PURPLE, MOSS), (GREEN, PURPLE))[look.costume]
    arms(pen, look, shoulder=(0.075, 0.42), length=0.3, width=0.035, sleeve=CREAM)
    pen.shape(
        [(-0.08, 0.38), (0.08, 0.38), (0.06, 0.56), (0.25, 0.98), (-0.25, 0.98), (-0.06, 0.56)],
        dress,
    )
    pen.stroke([(-0.06, 0.56), (0.06, 0.56)], 0.03, YELLOW)
    pen.limb([(0, 0.32), (0, 0.38)], 0.05, CREAM)
    pen.shape(
        [(-0.13, 0.16), (-0.15, 0.36), (-0.08, 0.38), (0.08, 0.38), (0.15, 0.36), (0.13, 0.16)],
        BROWN,
    )
    pen.limb([(0, 0.34), (0, 0.4)], 0.05, CREAM)
    pen.oval((0, 0.24), (0.1, 0.12), CREAM)
    eyes(pen, look, centre=(0, 0.23), apart=0.045, radius=0.03)
    pen.oval((0, 0.31), (0.03, 0.008 + 0.018 * look.mouth), RED)
    pen.oval((0, 0.14), (0.34, 0.055), hat)
    pen.oval((0, 0.08), (0.13, 0.08), hat)
    pen.stroke([(-0.125, 0.11), (0, 0.125), (0.125, 0.11)], 0.03, YELLOW)
    pen.oval((0.12, 0.08), (0.045, 0.045), PINK)


def _bolt(pen: Pen, look: Look) -> None:
    """Draw a robot of boxes with one antenna."""
    plate, trim = ((TEAL, ORANGE), (ORANGE, GREY))[look.costume]
    for side in (-1, 1):
        pen.limb([(side * 0.12, 0.78), (side * 0.12, 0.93)], 0.07, GREY)
        pen.box((side * 0.13 - 0.09, 0.91), (0.18, 0.08), trim)
    arms(pen, look, shoulder=(0.25, 0.52), length=0.26, width=0.065, sleeve=GREY)
    pen.box((-0.25, 0.45), (0.5, 0.36), plate)
    pen.box((-0.15, 0.53), (0.3, 0.15), CREAM)
    for i, lamp in enumerate((RED, YELLOW, GREEN)):
        pen.oval((-0.09 + 0.09 * i, 0.605), (0.032, 0.032), lamp)
    pen.limb([(0, 0.4), (0, 0.46)], 0.09, GREY)
    pen.limb([(0, 0.03), (0, 0.15)], 0.02, GREY)
    pen.oval((0, 0.03), (0.045, 0.045), RED)
    pen.box((-0.2, 0.12), (0.4, 0.29), plate)
    for side in (-1, 1):
        pen.box((side * 0.22 - 0.03, 0.21), (0.06, 0.1), trim)
    pen.box((-0.16, 0.16), (0.32, 0.11), INK)
    eyes(pen, look, centre=(0, 0.215), apart=0.08, radius=0.042)
    pen.box((-0.11, 0.31), (0.22, 0.03 + 0.04 * look.mouth), WHITE, corner=0.01)
    for i in range(1, 4):
        x = -0.11 + 0.055 * i
        pen.stroke([(x, 0.315), (x, 0.335 + 0.04 * look.mouth)])


def _mossy(pen: Pen, look: Look) -> None:
    """Draw a shaggy one-eyed monster with horns."""
    fur, horn = ((GREEN, YELLOW), (PURPLE, CREAM))[look.costume]
    for side in (-1, 1):
        pen.shape([(side * 0.1, 0.2), (side * 0.3, 0.0), (side * 0.24, 0.28)], horn)
        pen.limb([(side * 0.14, 0.85), (side * 0.16, 0.95)], 0.1, fur)
    arms(pen, look, shoulder=(0.28, 0.55), length=0.27, width=0.08, sleeve=fur)
    tufts = 26  # an even number: tufts and the notches between them alternate
    outline = [
        (
            (0.35 if i % 2 else 0.29) * sin(2 * pi * i / tufts),
            0.54 - (0.42 if i % 2 else 0.35) * cos(2 * pi * i / tufts),
        )
        for i in range(tufts)
    ]
    pen.shape(outline, fur)
    pen.oval((0, 0.4), (0.16, 0.15), WHITE)
    if look.blinks:
        pen.oval((0, 0.4), (0.16, 0.15), fur)
        pen.stroke([(-0.15, 0.41), (0, 0.45), (0.15, 0.41)], 0.02)
    else:
        x, y = 0.06 * look.gaze[0], 0.4 + 0.05 * look.gaze[1]
        pen.oval((x, y), (0.075, 0.075), SKY)
        pen.oval((x, y), (0.035, 0.035), INK)
    depth = 0.05 + 0.1 * look.mouth
    pen.shape([(-0.2, 0.63), (0.2, 0.63), (0.11, 0.63 + depth), (-0.11, 0.63 + depth)], RED)
    for x in (-0.13, -0.02, 0.09):
        pen.shape([(x - 0.035, 0.63), (x + 0.035, 0.63), (x, 0.68)], WHITE)


def _ruby_fox(pen: Pen, look: Look) -> None:
    """Draw a fox with a scarf and a bushy tail."""
    fur, scarf = ((ORANGE, SKY), (RED, GREEN))[look.costume]
    pen.limb([(0.12, 0.84), (0.3, 0.8), (0.37, 0.62)], 0.13, fur)
    pen.limb([(0.37, 0.61), (0.38, 0.55)], 0.11, WHITE)
    for side in (-1, 1):
        pen.limb([(side * 0.08, 0.82), (side * 0.08, 0.95)], 0.075, BROWN)
    arms(pen, look, shoulder=(0.13, 0.55), length=0.24, width=0.06, sleeve=fur)
    pen.shape([(-0.12, 0.5), (0.12, 0.5), (0.18, 0.86), (-0.18, 0.86)], fur)
    pen.shape([(-0.07, 0.52), (0.07, 0.52), (0.09, 0.8), (-0.09, 0.8)], WHITE, inked=False)
    for side in (-1, 1):
        pen.shape([(side * 0.06, 0.2), (side * 0.25, 0.01), (side * 0.25, 0.3)], fur)
        pen.shape([(side * 0.13, 0.19), (side * 0.22, 0.08), (side * 0.22, 0.24)], INK, inked=False)
    pen.shape(
        [(-0.16, 0.19), (0.16, 0.19), (0.29, 0.34), (0.05, 0.5), (-0.05, 0.5), (-0.29, 0.34)], fur
    )
    pen.shape(
        [(-0.26, 0.35), (0, 0.38), (0.26, 0.35), (0.05, 0.49), (-0.05, 0.49)], WHITE, inked=False
    )
    eyes(pen, look, centre=(0, 0.3), apart=0.09, radius=0.042)
    pen.oval((0, 0.465), (0.02 + 0.01 * look.mouth, 0.01 + 0.03 * look.mouth), RED)
    pen.oval((0, 0.42), (0.04, 0.03), INK)
    pen.limb([(-0.11, 0.53), (0.11, 0.53)], 0.05, scarf)
    pen.limb([(-0.09, 0.54), (-0.12, 0.68)], 0.045, scarf)


def _baron_bulb(pen: Pen, look: Look) -> None:
    """Draw a round gentleman with a top hat, a monocle and a moustache."""
    coat, vest = ((BROWN, YELLOW), (NAVY, ORANGE))[look.costume]
    for side in (-1, 1):
        pen.limb([(side * 0.09, 0.84), (side * 0.09, 0.94)], 0.07, GREY)
        pen.oval((side * 0.12, 0.965), (0.085, 0.03), INK)
    arms(pen, look, shoulder=(0.24, 0.6), length=0.24, width=0.075, sleeve=coat)
    pen.oval((0, 0.69), (0.28, 0.2), coat)
    pen.oval((0, 0.7), (0.13, 0.19), vest)
    for y in (0.64, 0.72, 0.8):
        pen.oval((0, y), (0.016, 0.016), INK)
    pen.oval((0, 0.38), (0.23, 0.16), CREAM)
    eyes(pen, look, centre=(0, 0.34), apart=0.085, radius=0.045)
    pen.oval((0, 0.4), (0.045, 0.045), PINK)
    pen.oval((0, 0.5), (0.05, 0.012 + 0.028 * look.mouth), RED)
    for side in (-1, 1):
        pen.shape(
            [
                (0, 0.43),
                (side * 0.12, 0.42),
                (side * 0.26, 0.39),
                (side * 0.17, 0.48),
                (side * 0.05, 0.48),
            ],
            INK,
            inked=False,
        )
    ring = [(0.085 + 0.07 * cos(pi * i / 10), 0.34 + 0.07 * sin(pi * i / 10)) for i in range(21)]
    pen.stroke(ring, 0.014, YELLOW)
    pen.box((-0.14, -0.02), (0.28, 0.24), INK)
    pen.stroke([(-0.135, 0.17), (0.135, 0.17)], 0.045, RED)
    pen.box((-0.24, 0.2), (0.48, 0.045), INK)


def _ghost(pen: Pen, look: Look) -> None:
    """Draw a stranger: a sheet with a wavy hem."""
    arms(pen, look, shoulder=(0.22, 0.5), length=0.2, width=0.08, sleeve=WHITE)
    dome = [(-0.26 * cos(pi * i / 16), 0.36 - 0.28 * sin(pi * i / 16)) for i in range(17)]
    hem = [(0.26 - 0.52 * i / 8, 0.95 if i % 2 else 0.86) for i in range(9)]
    pen.shape([*dome, *hem], (WHITE, SKY)[look.costume])
    eyes(pen, look, centre=(0, 0.32), apart=0.09, radius=0.05)
    pen.oval((0, 0.48), (0.05, 0.03 + 0.05 * look.mouth), INK)


def _cactus(pen: Pen, look: Look) -> None:
    """Draw a stranger: a cactus in a pot."""
    skin = (GREEN, MOSS)[look.costume]
    for side in (-1, 1):
        pen.limb([(0, 0.55), (side * 0.25, 0.55), (side * 0.25, 0.36)], 0.1, skin)
    pen.limb([(0, 0.2), (0, 0.75)], 0.26, skin)
    pen.shape([(-0.22, 0.72), (0.22, 0.72), (0.16, 0.97), (-0.16, 0.97)], ORANGE)
    eyes(pen, look, centre=(0, 0.3), apart=0.06, radius=0.04)
    pen.oval((0, 0.44), (0.05, 0.01 + 0.03 * look.mouth), RED)
    pen.oval((0, 0.07), (0.06, 0.05), PINK)


def _snowman(pen: Pen, look: Look) -> None:
    """Draw a stranger: three balls of snow with a bucket on top."""
    arms(pen, look, shoulder=(0.18, 0.48), length=0.26, width=0.025, sleeve=BROWN)
    for y, radius in ((0.8, 0.2), (0.52, 0.17), (0.27, 0.14)):
        pen.oval((0, y), (radius * 1.1, radius), WHITE)
    for y in (0.46, 0.55, 0.72):
        pen.oval((0, y), (0.02, 0.02), INK)
    eyes(pen, look, centre=(0, 0.24), apart=0.055, radius=0.03)
    pen.shape([(-0.02, 0.28), (0.02, 0.31), (0.17, 0.32)], ORANGE)
    pen.shape([(-0.13, 0.16), (0.13, 0.16), (0.1, -0.01), (-0.1, -0.01)], (RED, GREY)[look.costume])


FIGURES: Mapping[str, Figure] = {
    "baron_bulb": _baron_bulb,
    "bolt": _bolt,
    "captain_pip": _captain_pip,
    "lady_marrow": _lady_marrow,
    "mossy": _mossy,
    "ruby_fox": _ruby_fox,
}
"""The cast, by label."""

STRANGERS: Mapping[str, Figure] = {"cactus": _cactus, "ghost": _ghost, "snowman": _snowman}
"""Figures without a label."""
