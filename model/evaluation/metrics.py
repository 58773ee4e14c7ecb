"""Metrics of classification: accuracy and F1, calibration, detection of unknown characters."""

from dataclasses import dataclass
from typing import Final

import numpy as np
from numpy.typing import NDArray

from model.labels import UNKNOWN

BINS: Final = 15
"""Bins of the calibration error: as many as in Guo et al. (2017), so that figures compare."""

KNOWN_RECALL: Final = 0.95
"""Recall of known stills at which the false positive rate is measured: the usual operating point of
out-of-distribution detection since Liang et al., ODIN, 2018."""


@dataclass(frozen=True)
class LabelScore:
    """One label's metrics on a set of stills."""

    label: str
    stills: int
    """Number of stills with the label."""
    precision: float
    """Share of the stills predicted as the label that have it; 0 if there are none."""
    recall: float
    """Share of the stills with the label that were predicted as it."""
    f1: float
    """Harmonic mean of precision and recall; 0 if both are 0."""


@dataclass(frozen=True)
class Score:
    """A classifier's metrics on stills of known labels."""

    accuracy: float
    """Share of the stills that were predicted correctly; `unknown` is a wrong prediction here."""
    macro_f1: float
    """Unweighted mean of the labels' F1."""
    per_label: tuple[LabelScore, ...]
    """Metrics of each known label that any still has."""


@dataclass(frozen=True)
class ReliabilityBin:
    """The stills whose largest confidence lies in (above, up_to]."""

    above: float
    """Lower limit, exclusive."""
    up_to: float
    """Upper limit, inclusive."""
    stills: int
    """Number of stills in the bin."""
    confidence: float
    """Their mean largest confidence; 0 if there are none."""
    accuracy: float
    """Share of them that were predicted correctly; 0 if there are none."""


@dataclass(frozen=True)
class Reliability:
    """A reliability diagram: accuracy against confidence."""

    bins: tuple[ReliabilityBin, ...]
    """Bins from 0 to 1, of equal width."""

    @property
    def stills(self) -> int:
        """Number of stills in all bins."""
        return sum(each.stills for each in self.bins)

    @property
    def error(self) -> float:
        """The expected calibration error (Guo et al., 2017), 0 to 1.

        It is the mean absolute difference of confidence and accuracy over the bins, weighted by
        their stills.
        """
        distances = (each.stills * abs(each.confidence - each.accuracy) for each in self.bins)
        return sum(distances) / max(self.stills, 1)


@dataclass(frozen=True)
class UnknownScore:
    """The separation of stills of unknown characters from stills of known ones."""

    stills: int
    """Number of stills of unknown characters."""
    auroc: float
    """Share of all pairs of a known and an unknown still in which the known one scores higher."""
    false_positive_rate: float
    """Share of the unknown stills that score at least `threshold`."""
    threshold: float
    """The highest score that KNOWN_RECALL of the known stills reach."""


def score(
    answers: NDArray[np.integer], truth: NDArray[np.integer], labels: tuple[str, ...]
) -> Score:
    """Compute a classifier's metrics on stills of known labels.

    Args:
        answers: (n,) number of the most likely label.
        truth: (n,) number of the correct label. Stills of `unknown`, and those whose number belongs
            to no label, are skipped; a label without stills is not counted.
        labels: Names of the labels, by number.
    """
    from sklearn.metrics import precision_recall_fscore_support

    known = is_known(truth, labels)
    answers, truth = answers[known], truth[known]
    present = np.unique(truth)
    if not present.size:
        return Score(0.0, 0.0, ())
    table = precision_recall_fscore_support(truth, answers, labels=present, zero_division=0)
    per_label = tuple(
        LabelScore(labels[number], int(stills), float(precision), float(recall), float(f1))
        for number, precision, recall, f1, stills in zip(present.tolist(), *table, strict=True)
    )
    return Score(float((answers == truth).mean()), float(np.mean(table[2])), per_label)


def is_known(truth: NDArray[np.integer], labels: tuple[str, ...]) -> NDArray[np.bool_]:
    """Return (n,) whether each still's label is one of these and not `unknown`."""
    known = [number for number, label in enumerate(labels) if label != UNKNOWN]
    return np.isin(truth, known)


def known_scores(
    confidences: NDArray[np.floating], labels: tuple[str, ...]
) -> NDArray[np.floating]:
    """Return (n,) the largest confidence of a known label in each still.

    The stored tags have the same confidence. The threshold that starts an appearance therefore also
    rejects unknown characters, and no further score has to be stored or tuned.

    Args:
        confidences: (n, labels), calibrated.
        labels: Names of the labels, in their order.
    """
    known = [number for number, label in enumerate(labels) if label != UNKNOWN]
    return np.asarray(confidences[:, known].max(axis=1))


def unknown_score(
    known: NDArray[np.floating], unknown: NDArray[np.floating]
) -> UnknownScore | None:
    """Measure how well known and unknown stills are distinguished.

    Args:
        known: (n,) `known_scores` of stills of known labels.
        unknown: (m,) `known_scores` of stills of unknown characters.

    Returns:
        The metrics, or None if either is empty.
    """
    if not known.size or not unknown.size:
        return None
    from sklearn.metrics import roc_auc_score, roc_curve

    is_somebody = np.repeat([True, False], [known.size, unknown.size])
    scores = np.concatenate([known, unknown])
    # all points of the curve: a collinear one may be the operating point
    false_rates, recalls, thresholds = roc_curve(is_somebody, scores, drop_intermediate=False)
    point = int(np.argmax(recalls >= KNOWN_RECALL))
    return UnknownScore(
        int(unknown.size),
        float(roc_auc_score(is_somebody, scores)),
        float(false_rates[point]),
        float(thresholds[point]),
    )


def reliability(confidences: NDArray[np.floating], right: NDArray[np.bool_]) -> Reliability:
    """Compare confidences with accuracy, in bins.

    Args:
        confidences: (n,) of the predictions, 0 to 1.
        right: (n,) whether the prediction was correct.
    """
    # a confidence on a border belongs to the bin below it, as in the paper
    places = np.clip(np.ceil(confidences * BINS).astype(np.int64) - 1, 0, BINS - 1)
    stills = np.bincount(places, minlength=BINS)
    divisors = np.maximum(stills, 1)
    means = np.bincount(places, confidences, BINS) / divisors
    accuracies = np.bincount(places, right, BINS) / divisors
    return Reliability(
        tuple(
            ReliabilityBin(number / BINS, (number + 1) / BINS, *values)
            for number, values in enumerate(
                zip(stills.tolist(), means.tolist(), accuracies.tolist(), strict=True)
            )
        )
    )
