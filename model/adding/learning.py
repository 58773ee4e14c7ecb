"""Train and calibrate the output of an added label, by cross-validation.

The stills and the examples of others are split into folds. Outputs trained on the other folds
predict each fold; these predictions give the label's calibration, thresholds and metrics. The final
output is trained on all folds.
"""

from dataclasses import dataclass
from typing import Final

import numpy as np
from numpy.typing import NDArray

from model.adding.card import AddedFigures
from model.adding.column import Column, learn_column
from model.adding.examples import Examples
from model.adding.features import DenseFeatures
from model.adding.stills import AddedStills
from model.adding.views import FOLDS, Views
from model.evaluation.calibration import MAX_FALSE_SHARE
from model.inference.confidence import fit_logistic, sigmoid
from model.version.manifest import Manifest

PRESENT_SHARE: Final = 0.05
"""Share of the frames that show the label when its thresholds are chosen: with 33 labels, each
occurs in that share of the frames of `model.rehearsal.scene_rehearsal`."""

_STEP: Final = 0.01  # of thresholds, the same as for all labels
_HIGHEST: Final = 0.99


@dataclass(frozen=True)
class Learnt:
    """The result of training an added label."""

    column: Column
    """Calibrated, so that it shares the model's temperature."""
    thresholds: tuple[float, float]
    """Onset and offset."""
    figures: AddedFigures
    """Cross-validated metrics."""


@dataclass(frozen=True)
class Seen:
    """The network's features for the stills of added labels, and for everything else."""

    added: AddedStills
    """The stills of the added labels."""
    folds: NDArray[np.int64]
    """(n,) fold of each still."""
    views: Views
    """Scenes composed of the stills."""
    plain: NDArray[np.float16]
    """(n, places, features) of the stills without augmentation."""
    examples: Examples
    """Features of other labels, as negatives."""
    network: DenseFeatures
    """The start's network up to its features."""
    start: Manifest
    """The manifest of the network's version."""


@dataclass(frozen=True)
class _HeldOut:
    """Predictions for held-out data: the logits of the most likely places."""

    views: NDArray[np.float64]
    """(n,) of the scenes."""
    plain: NDArray[np.float64]
    """(n,) of the stills without augmentation."""
    examples: NDArray[np.float64]
    """(n,) of the examples of others."""


def learn_label(number: int, seen: Seen) -> Learnt:
    """Train an added label's output, and calibrate it on held-out predictions."""
    start = seen.start
    somebody = _somebody(seen)
    held_out = _held_out(number, seen, somebody)
    own, others = _with_and_without(number, seen, held_out)
    # repeated until the label is as rare as in `model.rehearsal.scene_rehearsal`
    often = np.resize(others, round(len(own) * (1 / PRESENT_SHARE - 1)))
    truth = np.arange(len(own) + len(often)) < len(own)
    slope, shift = fit_logistic(np.concatenate([own, often]), truth)

    def confidences(logits: NDArray[np.float64]) -> NDArray[np.float64]:
        return sigmoid(slope * logits + shift)

    pair = thresholds_of_added(confidences(own), confidences(others), (start.onset, start.offset))
    stills = seen.added.of(number)
    figures = AddedFigures(
        stills=len(stills),
        groups=len(np.unique(seen.added.groups[stills])),
        boxed=int(seen.added.boxed[stills].sum()),
        recall=float((confidences(held_out.plain[stills]) >= pair[0]).mean()),
        scene_recall=float((confidences(own) >= pair[0]).mean()),
        false_share=float((confidences(held_out.examples) >= pair[0]).mean()),
        taken_for=_taken_for(start, seen.network.logits(seen.plain[stills].astype(np.float32))),
    )
    final = learn_column(seen.views, number, seen.examples.features, somebody)
    return Learnt(final.scaled(start.temperature * slope, shift / slope), pair, figures)


def thresholds_of_added(
    own: NDArray[np.float64], others: NDArray[np.float64], general: tuple[float, float]
) -> tuple[float, float]:
    """Choose onset and offset of an added label.

    The label shares the thresholds of labels without their own if, at their onset, the share of
    false pictures among those assigned to it exceeds MAX_FALSE_SHARE by at most one standard error,
    given that PRESENT_SHARE of all pictures show it. Otherwise it gets the lowest onset that keeps
    this limit, and an offset as far below it.

    Args:
        own: (n,) confidences in pictures that show it.
        others: (m,) confidences in pictures that do not.
        general: Onset and offset of labels without their own.
    """
    onset, offset = general
    each = len(own) * (1 / PRESENT_SHARE - 1) / len(others)  # pictures that one stands for
    for higher in np.arange(onset, _HIGHEST, _STEP).round(2).tolist():
        false = int((others >= higher).sum())
        said = int((own >= higher).sum()) + each * false
        if each * (false - np.sqrt(false)) <= MAX_FALSE_SHARE * said:
            return higher, round(max(_STEP, higher - (onset - offset)), 2)
    return _HIGHEST, _HIGHEST


def _somebody(seen: Seen) -> NDArray[np.float32]:
    """Return (n, places) the probability of any earlier label at each place of the scenes."""
    size, features = seen.network.batch_size, seen.views.features
    parts = [
        seen.network.logits(features[start : start + size].astype(np.float32)).max(axis=-1)
        for start in range(0, len(features), size)
    ]
    return np.concatenate(parts)


def _held_out(number: int, seen: Seen, somebody: NDArray[np.float32]) -> _HeldOut:
    views, examples = seen.views, seen.examples.features
    example_folds = np.arange(len(examples)) % FOLDS
    answers = _HeldOut(*(np.empty(len(each)) for each in (views.folds, seen.folds, examples)))
    for fold in range(FOLDS):
        column = learn_column(
            views.without(fold),
            number,
            examples[example_folds != fold],
            somebody[views.folds != fold],
        )
        for logits, features, folds in (
            (answers.views, views.features, views.folds),
            (answers.plain, seen.plain, seen.folds),
            (answers.examples, examples, example_folds),
        ):
            if (folds == fold).any():
                logits[folds == fold] = column.highest(features[folds == fold])
    return answers


def _with_and_without(
    number: int, seen: Seen, held_out: _HeldOut
) -> tuple[NDArray[np.float64], NDArray[np.float64]]:
    """Return the logits of the scenes that show a label, and those of all other pictures."""
    labels = len(seen.added.labels)
    is_there, counts = seen.views.picture[:, number], seen.views.picture[:, labels + number]
    own = held_out.views[(is_there > 0) & (counts > 0)]
    return own, np.concatenate([held_out.examples, held_out.views[(is_there == 0) & (counts > 0)]])


def _taken_for(start: Manifest, logits: NDArray[np.float32]) -> dict[str, float]:
    """Return the share of pictures in which each label of the start is predicted, if above 0."""
    confidences = sigmoid(logits.max(axis=1) / start.temperature)
    general = (start.onset, start.offset)
    onsets = [start.label_thresholds.get(label, general)[0] for label in start.labels]
    shares = (confidences >= onsets).mean(axis=0)
    order = np.argsort(-shares, kind="stable")
    return {start.labels[number]: float(shares[number]) for number in order if shares[number]}
