"""A label that is added: learnt, and calibrated on what was held out.

Each fold of its stills and of the examples of others is answered by what was learnt from the other
folds. These answers give its confidence and thresholds, by the rules of all labels
(`model.scene_calibrating`), and its figures; the output that is kept learnt from all folds.
"""

from dataclasses import dataclass
from typing import Final

import numpy as np
from numpy.typing import NDArray

from model.added_card import AddedFigures
from model.added_column import Column, learn_column
from model.added_stills import AddedStills
from model.added_views import FOLDS, Views
from model.calibrating import Calibration
from model.calibration import sigmoid
from model.dense_features import DenseFeatures
from model.examples import Examples
from model.manifest import Manifest
from model.rehearsal import SHOT_FRAMES
from model.scene_calibrating import Rehearsed, calibrate_scenes

PRESENT_SHARE: Final = 0.05
"""Of the frames in which a label is rehearsed, those that show it: of 33 labels each is in so many
of the frames of `model.scene_rehearsal`."""


@dataclass(frozen=True)
class Learnt:
    """What became of a label that is added."""

    column: Column
    """Calibrated: it shares the model's temperature."""
    calibration: Calibration
    figures: AddedFigures


def learn_label(
    number: int,
    start: Manifest,
    added: AddedStills,
    folds: NDArray[np.int64],
    views: Views,
    plain: NDArray[np.float16],
    examples: Examples,
    seen: DenseFeatures,
) -> Learnt:
    """Learn a label's output, and calibrate it on what it has not learnt."""
    somebody = np.asarray(_in_parts(seen, views.features).max(axis=-1), np.float32)
    example_folds = np.arange(len(examples.features)) % FOLDS
    of_views, of_plain = np.empty(len(views.folds)), np.empty(len(plain))
    of_examples = np.empty(len(example_folds))
    for fold in range(FOLDS):
        column = learn_column(
            views.without(fold),
            number,
            examples.features[example_folds != fold],
            somebody[views.folds != fold],
        )
        for logits, features, of_fold in (
            (of_views, views.features, views.folds == fold),
            (of_plain, plain, folds == fold),
            (of_examples, examples.features, example_folds == fold),
        ):
            if of_fold.any():
                logits[of_fold] = column.highest(features[of_fold])
    label = added.labels[number]
    rehearsed = _rehearsed(of_views, views.picture[:, number :: len(added.labels)], of_examples)
    calibration, shift = calibrate_scenes(rehearsed, (label,))
    final = learn_column(views, number, examples.features, somebody)
    onset = calibration.label_thresholds.get(
        label, (calibration.thresholds.onset, calibration.thresholds.offset)
    )[0]

    def said(logits: NDArray[np.float64]) -> float:
        return float((sigmoid((logits + shift) / calibration.temperature) >= onset).mean())

    own = added.of(number)
    figures = AddedFigures(
        stills=len(own),
        groups=len(np.unique(added.groups[own])),
        boxed=int(added.boxed[own].sum()),
        recall=said(of_plain[own]),
        false_share=said(of_examples),
        rehearsal_f1=calibration.micro_f1,
        taken_for=_taken_for(start, seen.logits(plain[own].astype(np.float32))),
    )
    column = final.scaled(start.temperature / calibration.temperature, shift)
    return Learnt(column, calibration, figures)


def _in_parts(seen: DenseFeatures, features: NDArray[np.float16]) -> NDArray[np.float32]:
    """Return logits (n, places, labels), of a few pictures at a time in 32 bits."""
    size = seen.batch_size
    return np.concatenate(
        [
            seen.logits(features[start : start + size].astype(np.float32))
            for start in range(0, len(features), size)
        ]
    )


def _rehearsed(
    of_views: NDArray[np.float64],
    picture: NDArray[np.float32],
    of_examples: NDArray[np.float64],
) -> Rehearsed:
    """Return shots of a label's scenes among many more of others.

    Args:
        of_views: (n,) the highest logit of each scene.
        picture: (n, 2) whether the label is in it, and how much that counts.
        of_examples: (m,) the highest logit of each example.
    """
    there = np.flatnonzero(picture[:, 0] * picture[:, 1] > 0)
    absent = np.flatnonzero((picture[:, 0] == 0) & (picture[:, 1] > 0))
    others = np.concatenate([of_examples, of_views[absent]])
    shots = round(len(there) / SHOT_FRAMES / PRESENT_SHARE)
    chosen = np.arange(shots) % len(others)
    own = [of_views[frames] for frames in np.array_split(there, max(1, len(there) // SHOT_FRAMES))]
    logits, truth = [], []
    every = max(1, round(shots / len(own)))
    for number, frames in enumerate(own):
        strangers = others[chosen[number * every : (number + 1) * every]]
        logits += [frames, np.repeat(strangers, SHOT_FRAMES)]
        truth += [np.ones(len(frames), np.bool_), np.zeros(SHOT_FRAMES * len(strangers), np.bool_)]
    all_truth = np.concatenate(truth)[:, None]
    return Rehearsed(
        np.concatenate(logits).astype(np.float32)[:, None], all_truth, np.zeros_like(all_truth)
    )


def _taken_for(start: Manifest, logits: NDArray[np.float32]) -> dict[str, float]:
    """Return in which share of pictures each label that the start knows is said to be, if any."""
    confidences = sigmoid(logits.max(axis=1) / start.temperature)
    general = (start.onset, start.offset)
    onsets = [start.label_thresholds.get(label, general)[0] for label in start.labels]
    shares = (confidences >= onsets).mean(axis=0)
    order = np.argsort(-shares, kind="stable")
    return {start.labels[number]: float(shares[number]) for number in order if shares[number]}
