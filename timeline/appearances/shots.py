"""Plan the shots of a composed episode: their lengths, labels and transitions. Pure.

Shots follow each other without a gap. A cut falls between two frames. A dissolve lies half before
and half after the border of its shots, so that from the border on the later shot is the stronger
one: there the truth changes.
"""

from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from fractions import Fraction
from typing import TypeVar

import numpy as np

from timeline.scoring.truth import LabelledRange

FRAME_RATE = Fraction(24000, 1001)
"""Film speed as it is broadcast, the rate of most animated series."""

SHOT_FRAMES = (36, 120)
"""1.5 to 5 s, the usual length of shots in animated series."""

DISSOLVE_FRAMES = 12
"""Half a second: even, so that it has a middle, and shorter than any shot."""

DISSOLVES = 0.25
"""Share of shots that begin with a dissolve; the others begin with a cut."""

LARGEST_GROUP = 6
"""A larger group is a crowd, in which no single character is recognised."""

SMALLEST_GROUP = 3

Card = TypeVar("Card")


@dataclass(frozen=True, slots=True)
class Shot:
    """The labels on screen over the half-open range `start_frame <= number < end_frame`."""

    number: int
    labels: tuple[str, ...]
    """No label: no known character. Two: left and right. More: a group, in no order."""
    start_frame: int
    end_frame: int
    dissolve_frames: int = 0
    """Length of the dissolve from the previous shot, around `start_frame`; 0 is a cut."""

    def __post_init__(self) -> None:
        if not 0 <= self.start_frame < self.end_frame:
            raise ValueError(f"not a shot: frames {self.start_frame} to {self.end_frame}")
        if self.dissolve_frames < 0 or self.dissolve_frames % 2:
            raise ValueError(f"a dissolve of {self.dissolve_frames} frames has no middle")

    @property
    def first_shown(self) -> int:
        """The first frame in which any part of the shot is visible."""
        return self.start_frame - self.dissolve_frames // 2

    @property
    def first_alone(self) -> int:
        """The first frame in which the previous shot is no longer visible."""
        return self.start_frame + self.dissolve_frames // 2


def plan_shots(
    labels: Sequence[str], frames: int, seed: int, *, with_nobody: bool, groups: float = 0.0
) -> list[Shot]:
    """Plan an episode of shots with one label, two labels, no label, or groups.

    Args:
        labels: The labels that appear, at least one; each gets its turn.
        frames: Length of the whole episode, at least 1.
        seed: The same seed gives the same shots.
        with_nobody: Whether there are pictures for shots without a label.
        groups: Share of the shots with three labels or more.

    Returns:
        The shots in order.

    Raises:
        ValueError: There are too few labels for a group.
    """
    if groups and len(labels) < SMALLEST_GROUP:
        raise ValueError(f"no group of {SMALLEST_GROUP} can be made of {len(labels)} labels")
    rng = np.random.default_rng(seed)
    who = turns(labels, rng)
    # of ten shots five show one label, three show two, two show none
    numbers = [1] * 5 + [2] * 3 * (len(labels) > 1) + [0] * 2 * with_nobody
    on_screen = turns(numbers, rng)
    largest = min(LARGEST_GROUP, len(labels))
    sizes = turns(range(SMALLEST_GROUP, largest + 1), rng)
    # a group is due whenever this reaches an integer
    groups_due = rng.random() if groups else 0.0
    shots: list[Shot] = []
    start = 0
    while start < frames:
        end = shot_end(start, frames, rng)
        dissolves = rng.random() < DISSOLVES and start > 0 and end - start >= DISSOLVE_FRAMES
        groups_due += groups
        count = next(sizes) if groups_due >= 1 else next(on_screen)
        groups_due %= 1
        shown = _different(who, count)
        shots.append(Shot(len(shots), shown, start, end, DISSOLVE_FRAMES * dissolves))
        start = end
    return shots


def true_ranges(shots: Iterable[Shot], frame_rate: Fraction) -> list[LabelledRange]:
    """Return the truth of shots: a range for each label, one with an empty label for none."""
    return [
        LabelledRange(label, shot.start_frame / frame_rate, shot.end_frame / frame_rate)
        for shot in shots
        for label in shot.labels or ("",)
    ]


def turns(deck: Sequence[Card], rng: np.random.Generator) -> Iterator[Card]:
    """Yield the cards of a deck, reshuffled after each round, so that each comes up regularly."""
    while True:
        yield from (deck[place] for place in rng.permutation(len(deck)).tolist())


def shot_end(start: int, frames: int, rng: np.random.Generator) -> int:
    """Return the end of a shot that starts at a frame of an episode of `frames` frames."""
    shortest, longest = SHOT_FRAMES
    end = start + int(rng.integers(shortest, longest + 1))
    left = frames - end
    if left >= shortest:
        return end
    # The rest is too short for a further shot: leave just enough for one, or end the episode here.
    return frames if frames - start <= longest else frames - shortest


def _different(who: Iterator[str], count: int) -> tuple[str, ...]:
    shown: dict[str, None] = {}
    while len(shown) < count:
        shown[next(who)] = None
    return tuple(shown)
