"""What a recogniser said of labelled stills, and the figures that follow."""

from dataclasses import dataclass
from typing import Final

import numpy as np
from numpy.typing import NDArray

from model.errors import ModelError
from model.evaluation.scores import (
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
"""Stands for `unknown` in the truth where the recogniser has no such output."""


@dataclass(frozen=True)
class Answers:
    """What a recogniser said of n stills.

    Raises:
        ModelError: the arrays do not fit together.
    """

    labels: tuple[str, ...]
    """Of its outputs, in their order."""
    truth: NDArray[np.int64]
    """(n,) the right label's number, or STRANGER."""
    confidences: NDArray[np.float64]
    """(n, labels), calibrated."""
    shown: NDArray[np.bool_] | None = None
    """(n, labels) whom each still shows, where some show more than `truth` says."""

    def __post_init__(self) -> None:
        shape = (len(self.truth), len(self.labels))
        if self.confidences.shape != shape:
            raise ModelError(f"confidences are {self.confidences.shape}, not {shape}")
        if self.shown is not None and self.shown.shape != shape:
            raise ModelError(f"who is shown is {self.shown.shape}, not {shape}")
        if self.truth.size and not STRANGER <= self.truth.min() <= self.truth.max() < shape[1]:
            raise ModelError(f"truth has other numbers than those of {shape[1]} labels")

    @property
    def answers(self) -> NDArray[np.int64]:
        """(n,) the most likely label's number."""
        return np.asarray(self.confidences.argmax(axis=1), np.int64)

    @property
    def counted(self) -> NDArray[np.int64]:
        """(n,) the label by which each still counts: its answer if that is in it, else `truth`."""
        if self.shown is None:
            return self.truth
        is_shown = self.shown[np.arange(len(self.truth)), self.answers]
        return np.asarray(np.where(is_shown, self.answers, self.truth), np.int64)

    @property
    def right(self) -> NDArray[np.bool_]:
        """(n,) whether the answer is a label that the still has; never so for a stranger."""
        return np.equal(self.answers, self.counted)

    @property
    def has_output(self) -> NDArray[np.bool_]:
        """(n,) whether the right answer could be given at all."""
        return np.asarray(self.truth != STRANGER)

    @property
    def accuracy(self) -> float:
        """Share of the stills of known labels that were answered right."""
        known = is_known(self.truth, self.labels)
        return float(self.right[known].mean()) if known.any() else 0.0


@dataclass(frozen=True)
class Confusion:
    """Which label was taken for which."""

    labels: tuple[str, ...]
    """Those of the outputs; `unknown`, if any still or output has it, comes last."""
    counts: NDArray[np.int64]
    """(labels, labels) stills, by what is right and by what was said."""

    @property
    def shares(self) -> NDArray[np.float64]:
        """(labels, labels) each row as shares of its stills; 0 where there are none."""
        stills = self.counts.sum(axis=1, keepdims=True)
        return np.asarray(self.counts / np.maximum(stills, 1), np.float64)

    def most_frequent(self, count: int) -> tuple["Confused", ...]:
        """Return which labels were taken for which others most often, at most `count` of them."""
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
    """Stills of one label that were taken for another."""

    truth: str
    answer: str
    stills: int


@dataclass(frozen=True)
class Figures:
    """How good a recogniser is on some stills."""

    score: Score
    """On the stills of known labels."""
    reliability: Reliability
    """On the stills whose label is an output."""
    unknown: UnknownScore | None
    """None without stills of `unknown`."""
    confusion: Confusion


@dataclass(frozen=True)
class Overfitting:
    """How much better a network does on the stills that it learnt from.

    Both accuracies are of the finished network and of stills as inference sees them: what training
    counts on the way is of unfinished weights and varied pictures.
    """

    train_accuracy: float
    validation_accuracy: float

    @property
    def difference(self) -> float:
        """Train minus validation."""
        return self.train_accuracy - self.validation_accuracy


def figures_of(answers: Answers) -> Figures:
    """Return all figures that answers give."""
    known = is_known(answers.truth, answers.labels)
    known_ones = known_scores(answers.confidences, answers.labels)
    certainty, has_output = answers.confidences.max(axis=1), answers.has_output
    return Figures(
        score(answers.answers, answers.counted, answers.labels),
        reliability(certainty[has_output], answers.right[has_output]),
        unknown_score(known_ones[known], known_ones[~known]),
        confusion_of(answers),
    )


def confusion_of(answers: Answers) -> Confusion:
    """Count which label was taken for which."""
    labels, truth = answers.labels, answers.counted
    if not answers.has_output.all():
        truth = np.where(answers.has_output, truth, len(labels))
        labels = (*labels, UNKNOWN)
    counts = np.zeros((len(labels), len(labels)), np.int64)
    np.add.at(counts, (truth, answers.answers), 1)
    return Confusion(labels, counts)


def worst_mistakes(answers: Answers, count: int) -> NDArray[np.int64]:
    """Return the indices of the mistakes made with most confidence, the worst first.

    Strangers to a recogniser that has no `unknown` to say are none: it had no right answer.
    """
    mistaken = np.flatnonzero(~answers.right & answers.has_output)
    confidences = answers.confidences.max(axis=1)[mistaken]
    return mistaken[np.argsort(-confidences, kind="stable")[:count]]
