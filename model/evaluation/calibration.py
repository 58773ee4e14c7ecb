"""Calibrate a trained network and choose its thresholds by the validation stills."""

import itertools
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import Final

import numpy as np
from numpy.typing import NDArray

from model.dataset.stills import Stills
from model.inference.confidence import (
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
from model.version.region_views import RegionViews

_MAX_REHEARSAL_SHOTS: Final = 2000  # a label of 17 is in 140 of them: 5 % of those are 7
MAX_STRANGER_SHARE: Final = 0.04
"""Largest share of the frames without known characters in which a character may be reported: the
target for an episode."""

MAX_FALSE_SHARE: Final = 0.05
"""Largest share of false frames among those in which a label is reported. The target for an episode
is 2 %; every third shot of the rehearsal has an unknown character, far more than in an episode."""

ABOUT_THRESHOLDS: Final = (
    "They were chosen on shots composed of validation stills, one after another as in an episode, "
    "with a moving camera: one character in a full frame, two in its halves, and unknown "
    "characters, alone or beside a known one. An unknown character is a still of `unknown`, or a "
    "character whose own output is hidden. The shared onset and offset have the highest micro-F1 "
    "among the pairs that report a character in at most "
    f"{100 * MAX_STRANGER_SHARE:.0f} % of the frames without known characters. A label has its own "
    f"pair if more than {100 * MAX_FALSE_SHARE:.0f} % of the frames that are assigned to it would "
    "otherwise be false, beyond the standard error of few shots: the pair with its highest F1 that "
    "keeps this limit, or 0.99 if there is none. No episode was used."
)
"""Explanation of `calibrate` for the model card."""


@dataclass(frozen=True)
class Calibration:
    """The parameters that turn logits into confidences, and confidences into appearances."""

    temperature: float
    """Divides the logits."""
    thresholds: Thresholds
    """Thresholds of all labels without their own."""
    label_thresholds: dict[str, tuple[float, float]]
    """Onset and offset by label, for labels with their own."""
    frames: int
    """Number of frames on which the thresholds were chosen."""
    micro_f1: float
    """Micro-F1 on those frames."""


def calibrate(
    forward: ForwardPass, views: RegionViews, validation: Stills, seed: int, tell: Progress
) -> Calibration:
    """Fit the temperature on validation stills, and choose thresholds on frames composed of them.

    Args:
        forward: The network's forward pass, as its classifier will use it.
        views: The views of each region.
        validation: Stills that the network was not trained on.
        seed: Seed of the frames.
        tell: Called with a step's name, and how much of it is done out of how much.
    """
    logits = np.concatenate(
        [
            whole_logits(forward, pictures, validation.labels, views)
            for pictures, _ in validation.batches(forward.batch_size)
        ]
    )
    temperature = fit_temperature(logits, validation.label_numbers)
    seen, actual = rehearsed(forward, views, temperature, validation, seed, tell)
    return with_thresholds(temperature, seen, actual, known_labels(validation.labels))


def with_thresholds(
    temperature: float,
    seen: NDArray[np.float64],
    actual: NDArray[np.bool_],
    labels: Sequence[str],
) -> Calibration:
    """Return the calibration with the thresholds that are best on rehearsal frames.

    Args:
        temperature: The temperature behind the confidences.
        seen: (frames, labels) confidences; SHOT_FRAMES consecutive frames are one shot.
        actual: (frames, labels), whether each label is on screen.
        labels: The known labels, in that order.
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
    views: RegionViews,
    temperature: float,
    validation: Stills,
    seed: int,
    tell: Progress,
) -> tuple[NDArray[np.float64], NDArray[np.bool_]]:
    """Return a network's confidences for frames composed of validation stills, and the truth.

    Returns:
        The confidence of each known label's best region, (frames, labels), and whether it is on
        screen, (frames, labels); SHOT_FRAMES consecutive frames are one shot.
    """
    shots = min(_MAX_REHEARSAL_SHOTS, len(validation))  # more would only repeat the stills
    known = [number for number, label in enumerate(validation.labels) if label != UNKNOWN]
    confidences, truth = [], []
    for hidden, frames in _in_lists(rehearse(validation, shots, seed), forward.batch_size):
        pictures = np.stack([frame.pictures for frame in frames])
        answering = forward if hidden is None else _Without(forward, len(validation.labels), hidden)
        logits = region_logits(answering, pictures, REGIONS, validation.labels, views)
        confidences.append(softmax(logits / temperature).max(axis=1)[:, known])
        truth.append(np.stack([frame.truth for frame in frames])[:, known])
        tell("Choosing thresholds", sum(map(len, truth)), shots * SHOT_FRAMES)
    return np.concatenate(confidences), np.concatenate(truth)


class _Without(ForwardPass):
    """Another forward pass with one output suppressed, as if the network lacked that label."""

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
    """Yield as many frames at a time as fill a batch with their regions and closer views.

    All frames of a batch have the same hidden label, which is yielded with them.
    """
    for hidden, alike in itertools.groupby(frames, lambda frame: frame.hidden):
        while some := list(itertools.islice(alike, batch_size // (len(REGIONS) + 1))):
            yield hidden, some
