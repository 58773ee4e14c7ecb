"""A small cast of cartoon figures drawn by code: labelled stills, and an episode with its truth.

It stands in for a real series where none may be shipped. The stills are built like the public sets
of stills of animated series: each is the left or the right half of a frame, or the full frame,
sorted by the character in it; some contain bystanders and figures cut by the border.
"""

from collections.abc import Iterator
from dataclasses import dataclass, replace
from fractions import Fraction
from math import ceil, pi, sin
from pathlib import Path
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray
from PIL import Image

from castline.composing.shots import FRAME_RATE, shot_end, turns
from cli.drawn.backgrounds import draw_background
from cli.drawn.figures import FIGURES, STRANGERS, draw_figure
from cli.drawn.look import Look

CAST: tuple[str, ...] = tuple(FIGURES)
"""The labels, sorted."""

WIDTH, HEIGHT = 640, 360  # size of the episode's frames; 16:9

STILL_SIDE = 176  # pixels, longest side: like the stills of the public sets
FULL_SIZE = (STILL_SIDE, 99)  # 16:9
HALF_SIZE = (156, STILL_SIDE)  # 8:9, half of such a frame

PAN = 0.08  # largest movement of the background in a shot, as a share of the width
BOB = 0.012  # height by which a figure bobs, as a share of the picture's


@dataclass(frozen=True, slots=True)
class Placement:
    """A figure in a picture, in units of the picture's height."""

    name: str
    x: float
    """Centre of the figure."""
    feet: float
    """Position of the feet, from the top; beyond 1 is outside the picture."""
    height: float
    look: Look


class TruthRange(NamedTuple):
    """A label over the half-open range of frames `start_frame <= number < end_frame`."""

    label: str
    """Empty: no known character is on screen."""
    start_frame: int
    end_frame: int


@dataclass(frozen=True, slots=True)
class Shot:
    """One background with the figures in front of it, over a half-open range of frames."""

    start_frame: int
    end_frame: int
    figures: tuple[Placement, ...]

    def truth(self) -> list[TruthRange]:
        """Return one range for each figure that has a label, or one with an empty label."""
        labels = [figure.name for figure in self.figures if figure.name in CAST]
        return [TruthRange(label, self.start_frame, self.end_frame) for label in labels or [""]]


@dataclass(frozen=True, slots=True)
class DrawnEpisode:
    """An episode whose truth is exact to the frame."""

    pictures: Iterator[NDArray[np.uint8]]
    """RGB of shape (HEIGHT, WIDTH, 3), drawn on demand; can be iterated once."""
    frames: int
    frame_rate: Fraction
    truth: list[TruthRange]


def draw_stills(folder: Path, per_label: int, seed: int) -> None:
    """Write `per_label` stills of each character as `folder/<label>/pic_%04d.jpg`.

    Every still depends only on the seed, its label and its number.
    """
    for place, label in enumerate(CAST):
        (folder / label).mkdir(parents=True, exist_ok=True)
        for number in range(per_label):
            rng = np.random.default_rng([seed, place, number])
            # Quality 92 keeps the ink free of visible blocks; the stills stay at about 8 kB.
            still = _still(label, rng)
            still.save(folder / label / f"pic_{number:04}.jpg", quality=92)


def draw_episode(seed: int, duration_seconds: int = 60) -> DrawnEpisode:
    """Draw an episode of shots with one character, two of them, none, or a stranger.

    Args:
        seed: The same seed gives the same episode.
        duration_seconds: Rounded up to a whole frame.

    Returns:
        The episode with its truth.
    """
    frames = ceil(duration_seconds * FRAME_RATE)
    shots = _plan(frames, np.random.default_rng(seed))
    return DrawnEpisode(
        pictures=(picture for shot in shots for picture in _draw_shot(shot, seed)),
        frames=frames,
        frame_rate=FRAME_RATE,
        truth=[entry for shot in shots for entry in shot.truth()],
    )


def _still(label: str, rng: np.random.Generator) -> Image.Image:
    width, height = FULL_SIZE if rng.random() < 0.5 else HALF_SIZE
    aspect = width / height
    picture = draw_background(width, height, rng)
    beyond = _beyond(rng)
    if beyond is None:
        x, others = aspect * rng.uniform(0.25, 0.75), [*CAST, *STRANGERS]
    else:
        x = -beyond if rng.random() < 0.5 else aspect + beyond
        # Where the character is hard to see, no other one may appear: the label would be wrong.
        others = [*STRANGERS]
    if rng.random() < (0.25 if beyond is None else 0.5):
        side = -1 if x > aspect / 2 else 1
        _stand(picture, _placement(str(rng.choice(others)), x + side * rng.uniform(0.7, 1.0), rng))
    _stand(picture, _placement(label, x, rng))
    return picture


def _beyond(rng: np.random.Generator) -> float | None:
    """Return how far a figure's centre is beyond the border of the still; None: well inside."""
    chance = rng.random()
    if chance < 0.7:
        return None
    if chance < 0.85:  # cut by the border, as the regions of a frame cut a figure in its middle
        return float(rng.uniform(-0.15, 0.1))
    # Almost or entirely outside, as in every such set: a classifier learns from this that a
    # background or a stranger alone means nothing, and stays unsure instead of guessing.
    return float(rng.uniform(0.25, 0.5))


def _plan(frames: int, rng: np.random.Generator) -> list[Shot]:
    """Plan consecutive shots without a gap; every character gets a turn."""
    labels = turns(CAST, rng)
    # Of ten shots five show one character, three show two, one a stranger and one nobody.
    kinds = turns(("one",) * 5 + ("two",) * 3 + ("stranger", "nobody"), rng)
    shots = []
    start = 0
    while start < frames:
        end = shot_end(start, frames, rng)
        shots.append(Shot(start, end, _figures(next(kinds), labels, rng)))
        start = end
    return shots


def _figures(kind: str, labels: Iterator[str], rng: np.random.Generator) -> tuple[Placement, ...]:
    aspect = WIDTH / HEIGHT
    left, middle, right = aspect / 4, aspect / 2, aspect * 3 / 4
    if kind == "nobody":
        return ()
    if kind == "two":
        first = next(labels)
        second = next(label for label in labels if label != first)
        return _placement(first, left, rng), _placement(second, right, rng)
    name = next(labels) if kind == "one" else str(rng.choice([*STRANGERS]))
    x = float(rng.choice([left, middle, middle, right])) + rng.uniform(-0.08, 0.08)
    return (_placement(name, x, rng),)


def _placement(name: str, x: float, rng: np.random.Generator) -> Placement:
    height = rng.uniform(0.5, 1.15)
    # Small figures are completely visible; of large ones the border cuts the legs.
    feet = rng.uniform(0.86, 0.98) if height < 0.8 else rng.uniform(0.1, 0.2) + height
    return Placement(name, x, feet, height, _look(rng))


def _look(rng: np.random.Generator) -> Look:
    left_arm, right_arm = rng.uniform(0.1, 2.3, size=2).tolist()
    across, down = rng.uniform(-1, 1, size=2).tolist()
    return Look(
        costume=int(rng.integers(2)),
        left_arm=left_arm,
        right_arm=right_arm,
        gaze=(across, down),
        mouth=float(rng.random()),
        blinks=bool(rng.random() < 0.08),
        tilt_degrees=float(rng.uniform(-8, 8)),
        mirrored=bool(rng.random() < 0.5),
    )


def _stand(picture: Image.Image, placement: Placement) -> None:
    _paste(picture, _sprite(placement, picture.height), placement)


def _sprite(placement: Placement, picture_height: int) -> Image.Image:
    return draw_figure(placement.name, round(placement.height * picture_height), placement.look)


def _paste(picture: Image.Image, sprite: Image.Image, placement: Placement) -> None:
    x, feet = placement.x * picture.height, placement.feet * picture.height
    # The figure stands in the middle of its square sprite, which is wider than the figure is high.
    below_feet = (sprite.height - placement.height * picture.height) / 2
    left, top = x - sprite.width / 2, feet + below_feet - sprite.height
    picture.paste(sprite, (round(left), round(top)), sprite)


def _draw_shot(shot: Shot, seed: int) -> Iterator[NDArray[np.uint8]]:
    """Yield the pictures of a shot: the background pans, the figures bob, talk and blink."""
    rng = np.random.default_rng([seed, shot.start_frame])
    spare = round(WIDTH * PAN)
    place = draw_background(WIDTH + spare, HEIGHT, rng)
    pan_from, pan_to = rng.uniform(0, spare, size=2)
    actors = [(figure, _expressions(figure), int(rng.integers(48))) for figure in shot.figures]
    frames = shot.end_frame - shot.start_frame
    for number in range(frames):
        shift = round(pan_from + (pan_to - pan_from) * number / frames)
        picture = place.crop((shift, 0, shift + WIDTH, HEIGHT))
        for figure, (still, talking, blinking), phase in actors:
            beat = number + phase
            bob = BOB * sin(2 * pi * beat / 24)  # once a second
            talks = beat % 10 < 5 and beat % 48 < 30
            sprite = blinking if beat % 60 < 4 else talking if talks else still
            _paste(picture, sprite, replace(figure, feet=figure.feet + bob))
        yield np.asarray(picture)


def _expressions(figure: Placement) -> tuple[Image.Image, Image.Image, Image.Image]:
    """Draw a figure three times: mouth shut, mouth open with a gesture, eyes shut."""
    look = replace(figure.look, mouth=0.1, blinks=False)
    talking = replace(look, mouth=0.9, right_arm=look.right_arm + 0.15)
    looks = look, talking, replace(look, blinks=True)
    still, open_mouth, blinking = (_sprite(replace(figure, look=one), HEIGHT) for one in looks)
    return still, open_mouth, blinking
