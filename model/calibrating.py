"""From a trained network to trustworthy confidences and thresholds, by validation stills."""

import itertools
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Final

import numpy as np

from model.calibration import Thresholds, choose_thresholds, fit_temperature, micro_f1, softmax
from model.forward import ForwardPass
from model.looks import WHOLE, region_logits
from model.manifest import UNKNOWN
from model.progress import Progress
from model.regions import REGIONS
from model.rehearsal import RehearsalFrame, rehearse
from model.stills import Stills

_MAX_REHEARSAL_FRAMES: Final = 6000  # of which a label of 17 is in 400: 2 % of them are 8
_REHEARSAL_FRAMES_PER_STILL: Final = 6  # of fewer stills, more would only repeat themselves
_MAX_FALSE_SHARE: Final = 0.05
# Of what a label's onset finds. The target is 2 % of the appearances in an episode; every third of
# these frames has a stranger, and an appearance takes two frames, so that 5 % of them are about it.
_MAX_FALSE_RATE: Final = 0.01  # of an absent label at the offset: one cut in a hundred carried over

ABOUT_THRESHOLDS: Final = (
    "They were chosen on frames put together from validation stills: one character in a full "
    "frame, two in its halves, and strangers, alone or beside a character, for whom stills of "
    "`unknown` stand in, and characters whose own output is hidden. The onset of all is where "
    "micro-F1 is highest there; a label's own is as high, or as much higher as it takes for at "
    f"most {100 * _MAX_FALSE_SHARE:.0f} % of the frames that reach it to be false, and 0.99 where "
    "nothing is enough. An offset is the lowest confidence, up to the onset, that a label which is "
    f"not on screen reaches in at most {100 * _MAX_FALSE_RATE:.0f} % of the frames. No episode was "
    "used."
)
"""How `calibrate` chooses, for the model card."""


@dataclass(frozen=True)
class Calibration:
    """What turns logits into confidences, and confidences into appearances."""

    temperature: float
    thresholds: Thresholds
    """Of labels without their own."""
    label_thresholds: dict[str, tuple[float, float]]
    """Onset and offset by label."""
    frames: int
    """On how many frames they were chosen."""
    micro_f1: float
    """Reached there."""


def calibrate(
    forward: ForwardPass, closer_view: float, validation: Stills, seed: int, tell: Progress
) -> Calibration:
    """Fit the temperature on validation stills, and choose thresholds on frames made of them.

    Args:
        forward: the network's forward pass, as its classifier will have it.
        closer_view: see `model.looks`.
        validation: stills that it did not learn.
        seed: of the frames.
        tell: takes a step's name, how much of it is done, and how much there is.
    """
    logits = np.concatenate(
        [
            region_logits(forward, pictures[:, None], (WHOLE,), closer_view)[:, 0]
            for pictures, _ in validation.batches(forward.batch_size)
        ]
    )
    temperature = fit_temperature(logits, validation.label_numbers)
    count = min(_MAX_REHEARSAL_FRAMES, _REHEARSAL_FRAMES_PER_STILL * len(validation))
    known = [number for number, label in enumerate(validation.labels) if label != UNKNOWN]
    confidences, truth = [], []
    for frames in _in_lists(rehearse(validation, count, seed), forward.batch_size):
        pictures = np.stack([frame.pictures for frame in frames])
        logits = region_logits(forward, pictures, REGIONS, closer_view)
        for row, frame in enumerate(frames):
            if frame.hidden is not None:
                logits[row, :, frame.hidden] = -np.inf
        confidences.append(softmax(logits / temperature).max(axis=1)[:, known])
        truth.append(np.stack([frame.truth for frame in frames])[:, known])
        tell("Choosing thresholds", sum(map(len, truth)), count)
    seen, actual = np.concatenate(confidences), np.concatenate(truth)
    general, own = choose_thresholds(
        seen, actual, max_false_share=_MAX_FALSE_SHARE, max_false_rate=_MAX_FALSE_RATE
    )
    onsets = np.array([thresholds.onset for thresholds in own])
    labels = [validation.labels[number] for number in known]
    return Calibration(
        temperature,
        general,
        {label: (one.onset, one.offset) for label, one in zip(labels, own, strict=True)},
        count,
        micro_f1(seen >= onsets, actual),
    )


def _in_lists(frames: Iterator[RehearsalFrame], batch_size: int) -> Iterator[list[RehearsalFrame]]:
    """Yield so many frames at a time as fill a batch with their regions and closer views."""
    while some := list(itertools.islice(frames, batch_size // (len(REGIONS) + 1))):
        yield some
