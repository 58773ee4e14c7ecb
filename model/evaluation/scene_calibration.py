"""Calibrate a trained dense network and choose its thresholds by the validation stills."""

from dataclasses import dataclass
from typing import Final

import numpy as np
from numpy.typing import NDArray

from model.dataset.stills import Stills
from model.evaluation.calibration import (
    MAX_FALSE_SHARE,
    MAX_STRANGER_SHARE,
    Calibration,
    with_thresholds,
)
from model.inference.confidence import fit_logistic, sigmoid
from model.inference.forward import ForwardPass
from model.inference.places import most_likely_places
from model.pictures.preprocess import WholeFrame
from model.progress import Progress
from model.rehearsal.scene_rehearsal import rehearse_scenes
from model.rehearsal.shots import SHOT_FRAMES
from model.scenes.whereabouts import Whereabouts, seen_by

_MAX_SHOTS: Final = 2400  # a label of 33 is in 130 of them: 5 % of those are 7

ABOUT_SCENES: Final = (
    "They were chosen on shots composed of validation stills, with a moving camera: one character, "
    "two, groups of up to six, whole frames, and unknown characters, alone or beside others. An "
    "unknown character is a still of `unknown`, or a character whose own output is ignored. The "
    "shared onset and offset have the highest micro-F1 among the pairs that report a character in "
    "at most "
    f"{100 * MAX_STRANGER_SHARE:.0f} % of the frames without known characters. A label has its own "
    f"pair if more than {100 * MAX_FALSE_SHARE:.0f} % of the frames that are assigned to it would "
    "otherwise be false, beyond the standard error of few shots. No episode was used."
)
"""Explanation of `calibrate_scenes` for the model card."""


@dataclass(frozen=True)
class Rehearsed:
    """A network's output for rehearsal frames, and the truth."""

    logits: NDArray[np.float32]
    """(frames, labels)"""
    truth: NDArray[np.bool_]
    """(frames, labels)"""
    unheard: NDArray[np.bool_]
    """(frames, labels) outputs that are ignored."""


def rehearse_network(
    forward: ForwardPass, frame: WholeFrame, validation: Stills, seed: int, tell: Progress
) -> Rehearsed:
    """Run a network on shots composed of stills that it was not trained on.

    Args:
        forward: The network's forward pass, as its classifier will use it.
        frame: The frame into which the network's input is fitted.
        validation: The stills, as they are stored.
        seed: Seed of the shots.
        tell: Called with a step's name, and how much of it is done out of how much.
    """
    shots = min(_MAX_SHOTS, 2 * len(validation))  # more would only repeat the stills
    drawn = Whereabouts.as_drawn(validation)
    where = seen_by(forward.logits, validation, drawn, frame)
    parts: list[tuple[NDArray[np.float32], NDArray[np.bool_], NDArray[np.bool_]]] = []
    frames = rehearse_scenes(validation, where, frame, shots, seed)
    total = shots * SHOT_FRAMES
    while some := [made for _, made in zip(range(forward.batch_size), frames, strict=False)]:
        pictures = np.stack([one.picture for one in some])
        parts.append(
            (
                most_likely_places(forward.logits(pictures)).logits,
                np.stack([one.truth for one in some]),
                np.stack([one.unheard for one in some]),
            )
        )
        tell("Choosing thresholds", sum(len(part[1]) for part in parts), total)
    return Rehearsed(*(np.concatenate(each) for each in zip(*parts, strict=True)))


def calibrate_scenes(rehearsed: Rehearsed, labels: tuple[str, ...]) -> tuple[Calibration, float]:
    """Calibrate confidences and choose thresholds on rehearsal frames.

    Returns:
        The calibration, and a number to add to every logit before it is divided by the temperature.
    """
    counts = ~rehearsed.unheard
    slope, shift = fit_logistic(rehearsed.logits[counts], rehearsed.truth[counts])
    confidences = np.where(counts, sigmoid(slope * rehearsed.logits + shift), 0.0)
    return with_thresholds(1 / slope, confidences, rehearsed.truth, labels), shift / slope
