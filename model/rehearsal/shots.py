"""Compose shots of validation stills, with known truth, on which thresholds are chosen.

A network's confidences on single stills predict little for an episode, where a frame may show two
characters or none that it knows, where a shot offers several chances to be right or wrong, and
where cuts follow. Shots are therefore composed as in episodes: one character in a full frame, two
in its halves, and unknown characters. An unknown character is a still of the label `unknown`, or a
label whose own logit is hidden: to the other outputs it is a character of the series, drawn in its
colours and lines, without a label.
"""

from collections.abc import Callable, Iterator
from dataclasses import dataclass
from typing import Final

import numpy as np
from numpy.typing import NDArray

from model.dataset.stills import Stills
from model.labels import UNKNOWN
from model.pictures.regions import REGIONS, cut
from model.scenes.augmentation import cover

SHOT_FRAMES: Final = 6
"""Frames per shot: three seconds at two samples per second, a typical shot of a series."""

_CLOSEST: Final = 1.15  # how far a camera zooms in, as a factor
_ASPECT: Final = 16 / 9  # aspect ratio of the most common frames
_WIDE: Final = 1.2  # stills wider than this are full frames, the others halves: none lie near it


@dataclass(frozen=True)
class RehearsalFrame:
    """A frame and its truth."""

    pictures: NDArray[np.uint8]
    """(regions, side, side, 3), as a network sees each region."""
    truth: NDArray[np.bool_]
    """(labels,), whether the label is on screen; never `unknown`."""
    hidden: int | None
    """Number of the label whose output is suppressed, if any."""


def rehearse(stills: Stills, shots: int, seed: int) -> Iterator[RehearsalFrame]:
    """Compose shots of SHOT_FRAMES frames: a third each with one, two, and unknown characters.

    A camera moves over each shot in a straight line. Half of the unknown characters are alone in a
    full frame, half stand beside a known one; half of them come from `unknown`, if it has stills.

    Args:
        stills: Stills to compose; at least one that is not `unknown`.
        shots: Number of shots.
        seed: Seed of the choice.
    """
    rng = np.random.default_rng(seed)
    cast, rule = _Cast(stills, rng), stills.preprocessing
    for number in range(shots):
        made = _KINDS[number % len(_KINDS)](cast)
        truth = np.zeros(len(stills.labels), np.bool_)
        truth[stills.label_numbers[made.known]] = True
        for view in _moved_over(made.frame, rng):
            pictures = np.stack([rule.preprocess(cut(view, region)) for region in REGIONS])
            yield RehearsalFrame(pictures, truth, made.hidden)


def _moved_over(frame: NDArray[np.uint8], rng: np.random.Generator) -> Iterator[NDArray[np.uint8]]:
    """Yield the view of a camera that moves from one part of a frame to another."""
    # visible share of height and width, and position in the rest, down and across
    first, last = (np.append(1 / rng.uniform(1, _CLOSEST), rng.random(2)) for _ in range(2))
    height, width = frame.shape[:2]
    for done in np.linspace(0, 1, SHOT_FRAMES):
        share, down, across = first + done * (last - first)
        seen_height, seen_width = round(height * share), round(width * share)
        top, left = round((height - seen_height) * down), round((width - seen_width) * across)
        yield frame[top : top + seen_height, left : left + seen_width]


class _Cast:
    """Draws the stills of a shot."""

    def __init__(self, stills: Stills, rng: np.random.Generator) -> None:
        self._stills, self._rng = stills, rng
        names = np.array(stills.labels)[stills.label_numbers]
        known, self._unknown = np.flatnonzero(names != UNKNOWN), np.flatnonzero(names == UNKNOWN)
        is_wide = stills.sizes[known, 1] > _WIDE * stills.sizes[known, 0]
        self._wide = known[is_wide] if is_wide.any() else known
        self._narrow = known[~is_wide] if not is_wide.all() else known
        # as large as a half of the frame is to the network
        self.height = stills.preprocessing.canvas_side
        self.width = round(self.height * _ASPECT)

    def full(self) -> int:
        return int(self._rng.choice(self._wide))

    def half(self) -> int:
        return int(self._rng.choice(self._narrow))

    def part(self, index: int, width: int) -> NDArray[np.uint8]:
        return cover(self._stills.picture(index), self.height, width)

    def stranger(self, like: int, width: int) -> tuple[NDArray[np.uint8], int | None]:
        """Return a picture, and the label to hide so that it counts as unknown."""
        if self._unknown.size and self._rng.random() < 0.5:
            return self.part(int(self._rng.choice(self._unknown)), width), None
        return self.part(like, width), self.label(like)

    def label(self, index: int) -> int:
        return int(self._stills.label_numbers[index])


@dataclass(frozen=True)
class _Made:
    frame: NDArray[np.uint8]
    known: list[int]  # indices of the stills of known labels
    hidden: int | None = None


def _one(cast: _Cast) -> _Made:
    index = cast.full()
    return _Made(cast.part(index, cast.width), [index])


def _two(cast: _Cast) -> _Made:
    halves = [cast.half(), cast.half()]
    return _Made(np.hstack([cast.part(index, cast.width // 2) for index in halves]), halves)


def _stranger(cast: _Cast) -> _Made:
    frame, hidden = cast.stranger(cast.full(), cast.width)
    return _Made(frame, [], hidden)


def _beside_stranger(cast: _Cast) -> _Made:
    index, width = cast.half(), cast.width // 2
    half, hidden = cast.stranger(cast.half(), width)
    frame = np.hstack([cast.part(index, width), half])
    # a label beside itself cannot count as unknown
    return _Made(frame, [index], None if hidden == cast.label(index) else hidden)


_KINDS: Final[tuple[Callable[[_Cast], _Made], ...]] = (
    _one,
    _two,
    _stranger,
    _one,
    _two,
    _beside_stranger,
)
