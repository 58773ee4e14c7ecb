"""Frames made of validation stills, whose truth is known: what thresholds are chosen on.

A network's confidences on stills say little about an episode, where a frame may hold two
characters or none that it knows. So frames are put together as episodes have them: one character
in a full frame, two in its halves, and strangers. A stranger is a still turned upside down: the
series' own colours and lines, but no face that the network has learnt.
"""

from dataclasses import dataclass
from typing import Final

import numpy as np
from numpy.typing import NDArray

from model.preprocess import CANVAS_SIDE, preprocess, resize
from model.regions import REGIONS, cut
from model.stills import Stills

_FRAME_HEIGHT: Final = CANVAS_SIDE  # so that a half is shown to the network at its own size
_FRAME_WIDTH: Final = 150  # 16:9 of it
_WIDE: Final = 1.2  # stills wider than this are full frames, the others halves: none lie near it


@dataclass(frozen=True)
class Rehearsal:
    """Frames and who is in them."""

    pictures: NDArray[np.uint8]
    """(frames, regions, 64, 64, 3), as a network sees each region."""
    truth: NDArray[np.bool_]
    """(frames, labels), whether the label is on screen."""


def rehearse(stills: Stills, frames: int, seed: int) -> Rehearsal:
    """Make frames: a third each with one character, two characters, and a stranger.

    Half of the strangers are alone in a full frame, half stand beside a character.

    Args:
        stills: to make them of; at least one.
        frames: how many.
        seed: of the choice.
    """
    rng = np.random.default_rng(seed)
    is_wide = stills.sizes[:, 1] > _WIDE * stills.sizes[:, 0]
    everyone = np.arange(len(stills))
    wide = everyone[is_wide] if is_wide.any() else everyone
    halves = everyone[~is_wide] if not is_wide.all() else everyone
    pictures = np.empty((frames, len(REGIONS), *preprocess(_part(stills, 0, 1)).shape), np.uint8)
    truth = np.zeros((frames, len(stills.labels)), np.bool_)
    for number in range(frames):
        frame, known = _KINDS[number % len(_KINDS)](stills, rng.choice(wide), rng.choice(halves, 2))
        for which, region in enumerate(REGIONS):
            pictures[number, which] = preprocess(cut(frame, region))
        truth[number, stills.label_numbers[known]] = True
    return Rehearsal(pictures, truth)


_Made = tuple[NDArray[np.uint8], list[int]]  # a frame, and the indices of the stills known in it


def _one(stills: Stills, wide: int, _halves: NDArray[np.int64]) -> _Made:
    return _part(stills, wide, _FRAME_WIDTH), [wide]


def _two(stills: Stills, _wide: int, halves: NDArray[np.int64]) -> _Made:
    parts = [_part(stills, half, _FRAME_WIDTH // 2) for half in halves]
    return np.hstack(parts), list(halves)


def _stranger(stills: Stills, wide: int, _halves: NDArray[np.int64]) -> _Made:
    return _part(stills, wide, _FRAME_WIDTH)[::-1], []


def _beside_stranger(stills: Stills, _wide: int, halves: NDArray[np.int64]) -> _Made:
    known, stranger = (_part(stills, half, _FRAME_WIDTH // 2) for half in halves)
    return np.hstack([known, stranger[::-1]]), [int(halves[0])]


_KINDS: Final = (_one, _two, _stranger, _one, _two, _beside_stranger)


def _part(stills: Stills, index: int, width: int) -> NDArray[np.uint8]:
    """Return a still's picture, enlarged to cover this width at a frame's height and cropped."""
    height_on, width_on = stills.sizes[index]
    top, left = (CANVAS_SIDE - height_on) // 2, (CANVAS_SIDE - width_on) // 2
    picture = stills.canvases[index, top : top + height_on, left : left + width_on]
    scale = max(_FRAME_HEIGHT / height_on, width / width_on)
    covering = resize(
        picture,
        max(_FRAME_HEIGHT, round(height_on * scale)),
        max(width, round(width_on * scale)),
    )
    top, left = (covering.shape[0] - _FRAME_HEIGHT) // 2, (covering.shape[1] - width) // 2
    return covering[top : top + _FRAME_HEIGHT, left : left + width]
