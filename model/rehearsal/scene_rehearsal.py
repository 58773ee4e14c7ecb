"""Compose shots of validation stills, with known truth, for dense networks.

They are the counterpart of `model.rehearsal.shots` and show what episodes show: one character, two,
a group, nobody, and unknown characters, alone or beside others. An unknown character is a still of
`unknown`, or a label whose own output is ignored: to the other outputs it is a character of the
series without a label.
"""

from collections.abc import Callable, Iterator
from dataclasses import dataclass
from typing import Final

import cv2
import numpy as np
from numpy.typing import NDArray

from model.dataset.stills import Stills
from model.pictures.preprocess import WholeFrame
from model.rehearsal.shots import SHOT_FRAMES
from model.scenes.changes import compress
from model.scenes.scenes import SceneMaker
from model.scenes.seen import Scene
from model.scenes.whereabouts import SIDE_FIGURES, Whereabouts

_CLOSEST: Final = 1.15  # how far a camera zooms in, as a factor
_LARGEST_GROUP: Final = 6
_STORED_QUALITY: Final = 68  # JPEG quality of frames in the frame store


@dataclass(frozen=True)
class RehearsedFrame:
    """A frame and its truth."""

    picture: NDArray[np.uint8]
    """(height, width, 3), as a network sees it."""
    truth: NDArray[np.bool_]
    """(labels,), whether the label is on screen."""
    unheard: NDArray[np.bool_]
    """(labels,), outputs that are ignored: the own labels of unknown characters, labels of half
    hidden figures, labels that may or may not be there, and as large a share of the network's
    confident unconfirmed detections as is usually correct."""


def rehearse_scenes(
    stills: Stills, whereabouts: Whereabouts, frame: WholeFrame, shots: int, seed: int
) -> Iterator[RehearsedFrame]:
    """Compose shots of SHOT_FRAMES frames each, over which a camera moves.

    Args:
        stills: Stills as they are stored.
        whereabouts: Their bounding boxes.
        frame: The frame into which the network's input is fitted.
        shots: Number of shots.
        seed: Seed of the choice.
    """
    rng = np.random.default_rng(seed)
    cast = _Cast(stills, SceneMaker(stills, whereabouts, frame), rng)
    for number in range(shots):
        scene, hidden = _KINDS[number % len(_KINDS)](cast)
        labels = len(scene.absent)
        truth, unheard = np.zeros((2, labels), np.bool_)
        truth[list(scene.present)] = True
        unheard[[box.label_number for box in scene.hidden]] = True
        unheard[list(scene.doubtful)] = True
        unheard[(scene.absent == 0) & (rng.random(labels) >= SIDE_FIGURES)] = True
        unheard[list(scene.present)] = False
        if hidden is not None:
            unheard[hidden] = True
        truth &= ~unheard
        for view in _moved_over(scene.picture, rng):
            yield RehearsedFrame(compress(view, _STORED_QUALITY), truth, unheard)


def _moved_over(
    picture: NDArray[np.uint8], rng: np.random.Generator
) -> Iterator[NDArray[np.uint8]]:
    """Yield the view of a camera that moves from one part of a picture to another."""
    first, last = (np.append(1 / rng.uniform(1, _CLOSEST), rng.random(2)) for _ in range(2))
    height, width = picture.shape[:2]
    for done in np.linspace(0, 1, SHOT_FRAMES):
        share, down, across = first + done * (last - first)
        rows, columns = round(height * share), round(width * share)
        top, left = round((height - rows) * down), round((width - columns) * across)
        part = picture[top : top + rows, left : left + columns]
        yield np.asarray(
            cv2.resize(part, (width, height), interpolation=cv2.INTER_LINEAR), np.uint8
        )


@dataclass(frozen=True)
class _Cast:
    """Draws the stills of a shot."""

    stills: Stills
    scenes: SceneMaker
    rng: np.random.Generator

    def known(self) -> int:
        """Draw a still of a known character, with equal probability of all labels."""
        label = self.rng.choice(self._labels)
        return int(self.rng.choice(np.flatnonzero(self.stills.label_numbers == label)))

    @property
    def _labels(self) -> NDArray[np.int64]:
        found = np.unique(self.stills.label_numbers)
        return np.asarray(found[found < len(self.scenes.labels)], np.int64)

    def somebody(self) -> Scene:
        return self.scenes.lead(self.known(), self.rng)

    def stranger(self) -> tuple[Scene, int | None]:
        """Return a scene without known characters, and the label that is ignored, if any."""
        if self.scenes.has_nobody and self.rng.random() < 0.5:
            return self.scenes.nobody(self.rng), None
        still = self.known()
        return self.scenes.lead(still, self.rng), int(self.stills.label_numbers[still])


def _one(cast: _Cast) -> tuple[Scene, int | None]:
    return cast.somebody(), None


def _two(cast: _Cast) -> tuple[Scene, int | None]:
    if cast.scenes.figures.are_there and cast.rng.random() < 0.5:
        return cast.scenes.mosaic(cast.rng, 2), None
    return cast.scenes.panels(cast.rng, cast.known()), None


def _group(cast: _Cast) -> tuple[Scene, int | None]:
    if cast.scenes.has_whole_frames and cast.rng.random() < 0.5:
        return cast.scenes.whole_frame(cast.rng), None
    if cast.scenes.figures.are_there:
        return cast.scenes.mosaic(cast.rng, int(cast.rng.integers(3, _LARGEST_GROUP + 1))), None
    return cast.scenes.panels(cast.rng, cast.known()), None


def _stranger(cast: _Cast) -> tuple[Scene, int | None]:
    return cast.stranger()


def _beside_stranger(cast: _Cast) -> tuple[Scene, int | None]:
    lead = cast.known()
    return cast.scenes.panels(cast.rng, lead), int(cast.stills.label_numbers[lead])


_KINDS: Final[tuple[Callable[[_Cast], tuple[Scene, int | None]], ...]] = (
    _one,
    _two,
    _stranger,
    _one,
    _group,
    _beside_stranger,
)
"""Used in turn: a third each with one character, with two or more, and with an unknown one."""
