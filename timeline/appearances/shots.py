"""The shots of a made episode: how long each lasts, who is in it, how it begins. Pure.

Shots follow each other without a gap. A cut falls between two frames. A dissolve lies half before
and half after the border of its shots, so that from the border on the later shot is the stronger:
there the truth changes.
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
"""The share of shots that begin with one; the others begin with a cut."""

LARGEST_GROUP = 6
"""More are a crowd, in which nobody is made out."""

SMALLEST_GROUP = 3

Card = TypeVar("Card")


@dataclass(frozen=True, slots=True)
class Shot:
    """Who is on screen over the half-open range `start_frame <= number < end_frame`."""

    number: int
    labels: tuple[str, ...]
    """None: nobody known. Two: left and right. More: a group, in no order."""
    start_frame: int
    end_frame: int
    dissolve_frames: int = 0
    """How long the shot before turns into this one, around `start_frame`; 0 is a cut."""

    def __post_init__(self) -> None:
        if not 0 <= self.start_frame < self.end_frame:
            raise ValueError(f"not a shot: frames {self.start_frame} to {self.end_frame}")
        if self.dissolve_frames < 0 or self.dissolve_frames % 2:
            raise ValueError(f"a dissolve of {self.dissolve_frames} frames has no middle")

    @property
    def first_shown(self) -> int:
        """The first frame in which anything of it is seen."""
        return self.start_frame - self.dissolve_frames // 2

    @property
    def first_alone(self) -> int:
        """The first frame in which nothing is seen of the shot before."""
        return self.start_frame + self.dissolve_frames // 2


def plan_shots(
    labels: Sequence[str], frames: int, seed: int, *, with_nobody: bool, groups: float = 0.0
) -> list[Shot]:
    """Plan an episode of shots with one label, two of them, or nobody; and of groups.

    Args:
        labels: Those that appear, one or more; each gets its turn.
        frames: Of the whole episode, 1 or more.
        seed: The same seed gives the same shots.
        with_nobody: Whether there is anything to show when nobody is on screen.
        groups: Share of the shots with three labels or more.

    Raises:
        ValueError: There are too few labels for a group.
    """
    if groups and len(labels) < SMALLEST_GROUP:
        raise ValueError(f"no group of {SMALLEST_GROUP} can be made of {len(labels)} labels")
    rng = np.random.default_rng(seed)
    who = turns(labels, rng)
    # of ten shots five show one, three two, two nobody
    numbers = [1] * 5 + [2] * 3 * (len(labels) > 1) + [0] * 2 * with_nobody
    on_screen = turns(numbers, rng)
    largest = min(LARGEST_GROUP, len(labels))
    sizes = turns(range(SMALLEST_GROUP, largest + 1), rng)
    # a group is due whenever this reaches a whole number
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
    """The truth of shots: a range for each label, one with an empty label for nobody."""
    return [
        LabelledRange(label, shot.start_frame / frame_rate, shot.end_frame / frame_rate)
        for shot in shots
        for label in shot.labels or ("",)
    ]


def turns(deck: Sequence[Card], rng: np.random.Generator) -> Iterator[Card]:
    """The cards of a deck, shuffled anew after each round: nobody waits long."""
    while True:
        yield from (deck[place] for place in rng.permutation(len(deck)).tolist())


def shot_end(start: int, frames: int, rng: np.random.Generator) -> int:
    """The end of a shot that starts at a frame of an episode of so many."""
    shortest, longest = SHOT_FRAMES
    end = start + int(rng.integers(shortest, longest + 1))
    left = frames - end
    if left >= shortest:
        return end
    # What is left is too short for a shot: leave just enough for one, or end the episode here.
    return frames if frames - start <= longest else frames - shortest


def _different(who: Iterator[str], count: int) -> tuple[str, ...]:
    shown: dict[str, None] = {}
    while len(shown) < count:
        shown[next(who)] = None
    return tuple(shown)
