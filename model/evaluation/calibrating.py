"""From a trained network to trustworthy confidences and thresholds, by validation stills."""

import itertools
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import Final

import numpy as np
from numpy.typing import NDArray

from model.dataset.stills import Stills
from model.inference.calibration import (
    Thresholds,
    choose_thresholds,
    fit_temperature,
    micro_f1,
    on_screen,
    softmax,
)
from model.inference.forward import ForwardPass
from model.inference.region_logits import region_logits, whole_logits
from model.labels import UNKNOWN, known_labels
from model.pictures.regions import REGIONS
from model.progress import Progress
from model.rehearsal.shots import SHOT_FRAMES, RehearsalFrame, rehearse
from model.version.looks import Looks

_MAX_REHEARSAL_SHOTS: Final = 2000  # of which a label of 17 is in 140: 5 % of them are 7
MAX_STRANGER_SHARE: Final = 0.04
"""Of the frames in which nobody known is on screen, those in which somebody is said to be: what is
asked of an episode."""

MAX_FALSE_SHARE: Final = 0.05
"""Of the frames in which a label is said to be on screen. The target is 2 % of an episode's; in the
rehearsal every third shot has a stranger, which is far more than in an episode."""

ABOUT_THRESHOLDS: Final = (
    "They were chosen on shots put together from validation stills, one after the other as in an "
    "episode, over which a camera moves: one character in a full frame, two in its halves, and "
    "strangers, alone or beside a character, for whom stills of `unknown` stand in, and characters "
    "whose own output is hidden. Onset and offset of all are those by which who is said to be on "
    "screen is right most often (micro-F1), of those by which somebody is said to be in at most "
    f"{100 * MAX_STRANGER_SHARE:.0f} % of the frames without anybody known. A label has its own if "
    f"otherwise more than {100 * MAX_FALSE_SHARE:.0f} % of the frames in which it is said to be on "
    "screen were false, beyond what chance makes of few shots: the best for it by which no more "
    "are, and 0.99 where there are none. No episode was used."
)
"""How `calibrate` chooses, for the model card."""


@dataclass(frozen=True)
class Calibration:
    """What turns logits into confidences, and confidences into appearances."""

    temperature: float
    thresholds: Thresholds
    """Of labels without their own."""
    label_thresholds: dict[str, tuple[float, float]]
    """Onset and offset by label, where they are not those of the others."""
    frames: int
    """On how many frames they were chosen."""
    micro_f1: float
    """Reached there."""


def calibrate(
    forward: ForwardPass, looks: Looks, validation: Stills, seed: int, tell: Progress
) -> Calibration:
    """Fit the temperature on validation stills, and choose thresholds on frames made of them.

    Args:
        forward: the network's forward pass, as its classifier will have it.
        looks: how often it looks.
        validation: stills that it did not learn.
        seed: of the frames.
        tell: takes a step's name, how much of it is done, and how much there is.
    """
    logits = np.concatenate(
        [
            whole_logits(forward, pictures, validation.labels, looks)
            for pictures, _ in validation.batches(forward.batch_size)
        ]
    )
    temperature = fit_temperature(logits, validation.label_numbers)
    seen, actual = rehearsed(forward, looks, temperature, validation, seed, tell)
    return with_thresholds(temperature, seen, actual, known_labels(validation.labels))


def with_thresholds(
    temperature: float,
    seen: NDArray[np.float64],
    actual: NDArray[np.bool_],
    labels: Sequence[str],
) -> Calibration:
    """Return the calibration with the thresholds that are best on rehearsed frames.

    Args:
        temperature: by which the confidences were made.
        seen: (frames, labels) confidences; SHOT_FRAMES frames in a row are one shot.
        actual: (frames, labels), whether each label is on screen.
        labels: the known ones, in that order.
    """
    general, own = choose_thresholds(
        seen,
        actual,
        max_stranger_share=MAX_STRANGER_SHARE,
        max_false_share=MAX_FALSE_SHARE,
        shot_frames=SHOT_FRAMES,
    )
    said = np.stack([on_screen(seen, pair)[:, label] for label, pair in enumerate(own)], axis=1)
    return Calibration(
        temperature,
        general,
        {
            label: (one.onset, one.offset)
            for label, one in zip(labels, own, strict=True)
            if one != general
        },
        len(seen),
        micro_f1(said, actual),
    )


def rehearsed(
    forward: ForwardPass,
    looks: Looks,
    temperature: float,
    validation: Stills,
    seed: int,
    tell: Progress,
) -> tuple[NDArray[np.float64], NDArray[np.bool_]]:
    """Return what a network says of frames made of validation stills, and who is in them.

    Returns:
        The confidence of each known label's best region, (frames, labels), and whether it is on
        screen, (frames, labels); SHOT_FRAMES frames in a row are one shot.
    """
    shots = min(_MAX_REHEARSAL_SHOTS, len(validation))  # more would only repeat the stills
    known = [number for number, label in enumerate(validation.labels) if label != UNKNOWN]
    confidences, truth = [], []
    for hidden, frames in _in_lists(rehearse(validation, shots, seed), forward.batch_size):
        pictures = np.stack([frame.pictures for frame in frames])
        answering = forward if hidden is None else _Without(forward, len(validation.labels), hidden)
        logits = region_logits(answering, pictures, REGIONS, validation.labels, looks)
        confidences.append(softmax(logits / temperature).max(axis=1)[:, known])
        truth.append(np.stack([frame.truth for frame in frames])[:, known])
        tell("Choosing thresholds", sum(map(len, truth)), shots * SHOT_FRAMES)
    return np.concatenate(confidences), np.concatenate(truth)


class _Without(ForwardPass):
    """Another's forward pass without one of its outputs, as of a network without that label."""

    def __init__(self, forward: ForwardPass, outputs: int, hidden: int) -> None:
        super().__init__((outputs,), forward.batch_size)
        self._forward, self._hidden = forward, hidden

    def _logits_of_batch(self, pictures: NDArray[np.uint8]) -> NDArray[np.float32]:
        logits = self._forward.logits(pictures)
        logits[:, self._hidden] = -np.inf
        return logits


def _in_lists(
    frames: Iterator[RehearsalFrame], batch_size: int
) -> Iterator[tuple[int | None, list[RehearsalFrame]]]:
    """Yield so many frames at a time as fill a batch with their regions and closer views.

    Together come only those with the same label hidden, which is told with them.
    """
    for hidden, alike in itertools.groupby(frames, lambda frame: frame.hidden):
        while some := list(itertools.islice(alike, batch_size // (len(REGIONS) + 1))):
            yield hidden, some
