"""From a trained dense network to trustworthy confidences and thresholds, by validation stills."""

from dataclasses import dataclass
from typing import Final

import numpy as np
from numpy.typing import NDArray

from model.dataset.stills import Stills
from model.evaluation.calibrating import (
    MAX_FALSE_SHARE,
    MAX_STRANGER_SHARE,
    Calibration,
    with_thresholds,
)
from model.inference.calibration import fit_logistic, sigmoid
from model.inference.forward import ForwardPass
from model.inference.places import most_likely_places
from model.pictures.preprocess import WholeFrame
from model.progress import Progress
from model.rehearsal.scene_rehearsal import rehearse_scenes
from model.rehearsal.shots import SHOT_FRAMES
from model.scenes.whereabouts import Whereabouts, seen_by

_MAX_SHOTS: Final = 2400  # of which a label of 33 is in 130: 5 % of them are 7

ABOUT_SCENES: Final = (
    "They were chosen on shots put together from validation stills, over which a camera moves: one "
    "character, two, groups of up to six, whole frames, and strangers, alone or beside others, for "
    "whom stills of `unknown` stand in, and characters whose own answers are not heard. Onset and "
    "offset of all are those by which who is said to be on screen is right most often (micro-F1), "
    "of those by which somebody is said to be in at most "
    f"{100 * MAX_STRANGER_SHARE:.0f} % of the frames without anybody known. A label has its own if "
    f"otherwise more than {100 * MAX_FALSE_SHARE:.0f} % of the frames in which it is said to be on "
    "screen were false, beyond what chance makes of few shots. No episode was used."
)
"""How `calibrate_scenes` chooses, for the model card."""


@dataclass(frozen=True)
class Rehearsed:
    """What a network says of rehearsed frames, and the truth."""

    logits: NDArray[np.float32]
    """(frames, labels)"""
    truth: NDArray[np.bool_]
    """(frames, labels)"""
    unheard: NDArray[np.bool_]
    """(frames, labels) what does not count."""


def rehearse_network(
    forward: ForwardPass, frame: WholeFrame, validation: Stills, seed: int, tell: Progress
) -> Rehearsed:
    """Show a network shots made of stills that it did not learn.

    Args:
        forward: the network's forward pass, as its classifier will have it.
        frame: as the network sees it.
        validation: the stills, as they are stored.
        seed: of the shots.
        tell: takes a step's name, how much of it is done, and how much there is.
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
    """Fit confidences and choose thresholds on rehearsed frames.

    Returns:
        The calibration, and what is to be added to every logit, before the temperature divides it.
    """
    counts = ~rehearsed.unheard
    slope, shift = fit_logistic(rehearsed.logits[counts], rehearsed.truth[counts])
    confidences = np.where(counts, sigmoid(slope * rehearsed.logits + shift), 0.0)
    return with_thresholds(1 / slope, confidences, rehearsed.truth, labels), shift / slope
