"""A classifier's predictions for labelled stills, and the metrics computed from them."""

from dataclasses import dataclass
from typing import Final

import numpy as np
from numpy.typing import NDArray

from model.errors import ModelError
from model.evaluation.metrics import (
    Reliability,
    Score,
    UnknownScore,
    is_known,
    known_scores,
    reliability,
    score,
    unknown_score,
)
from model.labels import UNKNOWN

STRANGER: Final = -1
"""Number in the ground truth for `unknown`, if the classifier has no such output."""


@dataclass(frozen=True)
class Predictions:
    """The predictions for n stills, with the ground truth.

    Raises:
        ModelError: The shapes of the arrays are inconsistent.
    """

    labels: tuple[str, ...]
    """Labels of the outputs, in their order."""
    truth: NDArray[np.int64]
    """(n,) number of the correct label, or STRANGER."""
    confidences: NDArray[np.float64]
    """(n, labels), calibrated."""
    shown: NDArray[np.bool_] | None = None
    """(n, labels) which labels each still shows, if some show more than the one in `truth`."""

    def __post_init__(self) -> None:
        shape = (len(self.truth), len(self.labels))
        if self.confidences.shape != shape:
            raise ModelError(f"confidences are {self.confidences.shape}, not {shape}")
        if self.shown is not None and self.shown.shape != shape:
            raise ModelError(f"shown is {self.shown.shape}, not {shape}")
        if self.truth.size and not STRANGER <= self.truth.min() <= self.truth.max() < shape[1]:
            raise ModelError(f"truth has other numbers than those of {shape[1]} labels")

    @property
    def answers(self) -> NDArray[np.int64]:
        """(n,) number of the most likely label."""
        return np.asarray(self.confidences.argmax(axis=1), np.int64)

    @property
    def counted(self) -> NDArray[np.int64]:
        """(n,) the label that a still counts for: the prediction if it is shown, else `truth`."""
        if self.shown is None:
            return self.truth
        is_shown = self.shown[np.arange(len(self.truth)), self.answers]
        return np.asarray(np.where(is_shown, self.answers, self.truth), np.int64)

    @property
    def right(self) -> NDArray[np.bool_]:
        """(n,) whether the prediction is a label of the still; never for an unknown character."""
        return np.equal(self.answers, self.counted)

    @property
    def has_output(self) -> NDArray[np.bool_]:
        """(n,) whether the classifier has an output for the correct label."""
        return np.asarray(self.truth != STRANGER)

    @property
    def accuracy(self) -> float:
        """Share of the stills of known labels that were predicted correctly."""
        known = is_known(self.truth, self.labels)
        return float(self.right[known].mean()) if known.any() else 0.0


@dataclass(frozen=True)
class Confusion:
    """A confusion matrix."""

    labels: tuple[str, ...]
    """Labels of the outputs; `unknown` comes last, if a still or an output has it."""
    counts: NDArray[np.int64]
    """(labels, labels) number of stills, by correct label and by predicted label."""

    @property
    def shares(self) -> NDArray[np.float64]:
        """(labels, labels) each row as shares of its stills; 0 where there are none."""
        stills = self.counts.sum(axis=1, keepdims=True)
        return np.asarray(self.counts / np.maximum(stills, 1), np.float64)

    def most_frequent(self, count: int) -> tuple["Confused", ...]:
        """Return the most frequent confusions, at most `count` of them."""
        wrong = self.counts * ~np.eye(len(self.labels), dtype=bool)
        order = np.argsort(-wrong, axis=None, kind="stable")[:count]
        places = zip(*np.unravel_index(order, wrong.shape), strict=True)
        return tuple(
            Confused(self.labels[truth], self.labels[said], int(wrong[truth, said]))
            for truth, said in places
            if wrong[truth, said]
        )


@dataclass(frozen=True)
class Confused:
    """A confusion: stills of one label that were classified as another."""

    truth: str
    """The correct label."""
    answer: str
    """The predicted label."""
    stills: int
    """Number of stills."""


@dataclass(frozen=True)
class Figures:
    """The metrics of a classifier on a set of stills."""

    score: Score
    """Accuracy and F1 on the stills of known labels."""
    reliability: Reliability
    """Calibration on the stills whose label is an output."""
    unknown: UnknownScore | None
    """How well `unknown` is detected; None without stills of `unknown`."""
    confusion: Confusion
    """Stills by correct and by predicted label."""


@dataclass(frozen=True)
class Overfitting:
    """The accuracy on training stills against that on validation stills.

    Both accuracies are those of the final network on stills preprocessed as for inference; the
    accuracy logged during training belongs to changing weights and augmented pictures.
    """

    train_accuracy: float
    """Accuracy on the training stills."""
    validation_accuracy: float
    """Accuracy on the validation stills."""

    @property
    def difference(self) -> float:
        """Training accuracy minus validation accuracy."""
        return self.train_accuracy - self.validation_accuracy


def figures_of(answers: Predictions) -> Figures:
    """Return all metrics of predictions."""
    known = is_known(answers.truth, answers.labels)
    known_ones = known_scores(answers.confidences, answers.labels)
    certainty, has_output = answers.confidences.max(axis=1), answers.has_output
    return Figures(
        score(answers.answers, answers.counted, answers.labels),
        reliability(certainty[has_output], answers.right[has_output]),
        unknown_score(known_ones[known], known_ones[~known]),
        confusion_of(answers),
    )


def confusion_of(answers: Predictions) -> Confusion:
    """Count the stills by correct and predicted label."""
    labels, truth = answers.labels, answers.counted
    if not answers.has_output.all():
        truth = np.where(answers.has_output, truth, len(labels))
        labels = (*labels, UNKNOWN)
    counts = np.zeros((len(labels), len(labels)), np.int64)
    np.add.at(counts, (truth, answers.answers), 1)
    return Confusion(labels, counts)


def worst_mistakes(answers: Predictions, count: int) -> NDArray[np.int64]:
    """Return the indices of the most confident mistakes, worst first.

    Unknown characters do not count if the classifier has no output `unknown`: it could not be
    correct.
    """
    mistaken = np.flatnonzero(~answers.right & answers.has_output)
    confidences = answers.confidences.max(axis=1)[mistaken]
    return mistaken[np.argsort(-confidences, kind="stable")[:count]]
