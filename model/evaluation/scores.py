"""How well labels were told apart, counted: right answers, honest confidences, strangers."""

from dataclasses import dataclass
from typing import Final

import numpy as np
from numpy.typing import NDArray

from model.labels import UNKNOWN

BINS: Final = 15
"""Of the calibration error: as many as Guo et al. (2017) have, so that figures compare."""

KNOWN_RECALL: Final = 0.95
"""Share of the known stills that must be accepted where false positives are counted: the point
at which out-of-distribution detection is compared since Liang et al., ODIN, 2018."""


@dataclass(frozen=True)
class LabelScore:
    """One label's counts on some stills."""

    label: str
    stills: int
    """That have the label."""
    precision: float
    """Share of the stills called so that are so; 0 if none was called so."""
    recall: float
    """Share of the stills that are so that were called so."""
    f1: float
    """Harmonic mean of both; 0 if both are 0."""


@dataclass(frozen=True)
class Score:
    """A network's answers on stills of known labels."""

    accuracy: float
    """Share of them that were answered right; `unknown` is a wrong answer here."""
    macro_f1: float
    """Mean of the labels' F1, each label counting alike."""
    per_label: tuple[LabelScore, ...]
    """Of each known label that any still has."""


@dataclass(frozen=True)
class ReliabilityBin:
    """The stills whose largest confidence lies in (above, up_to]."""

    above: float
    up_to: float
    stills: int
    confidence: float
    """Their mean largest confidence; 0 if there are none."""
    accuracy: float
    """Share of them that were answered right; 0 if there are none."""


@dataclass(frozen=True)
class Reliability:
    """Whether answers are right as often as their confidences say."""

    bins: tuple[ReliabilityBin, ...]
    """From 0 to 1, of equal width."""

    @property
    def stills(self) -> int:
        """How many were counted."""
        return sum(each.stills for each in self.bins)

    @property
    def error(self) -> float:
        """The expected calibration error (Guo et al., 2017), 0 to 1.

        Mean distance of confidence and accuracy over the bins, each counting by its stills.
        """
        distances = (each.stills * abs(each.confidence - each.accuracy) for each in self.bins)
        return sum(distances) / max(self.stills, 1)


@dataclass(frozen=True)
class UnknownScore:
    """How well stills of nobody known are told from stills of somebody known."""

    stills: int
    """Of nobody known."""
    auroc: float
    """How often a known still scores higher than an unknown one, of all such pairs."""
    false_positive_rate: float
    """Share of the unknown stills that score at least `threshold`."""
    threshold: float
    """The highest score that KNOWN_RECALL of the known stills reach."""


def score(
    answers: NDArray[np.integer], truth: NDArray[np.integer], labels: tuple[str, ...]
) -> Score:
    """Count a network's answers on stills of known labels.

    Args:
        answers: (n,) the most likely label's number.
        truth: (n,) the right label's number. Stills of `unknown`, and those whose number is none
            of a label, are passed over; a label that no still has counts nowhere.
        labels: by number.
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
    """Return (n,) how surely each still shows somebody known: its largest confidence but unknown's.

    It is the very number that a tag carries. So the threshold that starts an appearance is the one
    that turns strangers away, and nothing else needs to be stored or tuned.

    Args:
        confidences: (n, labels), calibrated.
        labels: in their order.
    """
    known = [number for number, label in enumerate(labels) if label != UNKNOWN]
    return np.asarray(confidences[:, known].max(axis=1))


def unknown_score(
    known: NDArray[np.floating], unknown: NDArray[np.floating]
) -> UnknownScore | None:
    """Measure how well known and unknown stills are told apart.

    Args:
        known: (n,) `known_scores` of stills of known labels.
        unknown: (m,) of stills of nobody known.

    Returns:
        None if there are none of either.
    """
    if not known.size or not unknown.size:
        return None
    from sklearn.metrics import roc_auc_score, roc_curve

    is_somebody = np.repeat([True, False], [known.size, unknown.size])
    scores = np.concatenate([known, unknown])
    # all points of the curve: those on a straight line could be the one that is asked for
    false_rates, recalls, thresholds = roc_curve(is_somebody, scores, drop_intermediate=False)
    point = int(np.argmax(recalls >= KNOWN_RECALL))
    return UnknownScore(
        int(unknown.size),
        float(roc_auc_score(is_somebody, scores)),
        float(false_rates[point]),
        float(thresholds[point]),
    )


def reliability(confidences: NDArray[np.floating], right: NDArray[np.bool_]) -> Reliability:
    """Compare confidences with how often they were right.

    Args:
        confidences: (n,) of the answers, 0 to 1.
        right: (n,) whether the answer was right.
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
