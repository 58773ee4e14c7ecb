"""Compare two classifiers on the same stills: per label, and still by still.

Pure functions: `model.evaluation.recogniser` runs the classifiers.
"""

from collections import Counter
from collections.abc import Iterator
from dataclasses import dataclass
from math import comb

import numpy as np
from numpy.typing import NDArray

from model.errors import ModelError
from model.evaluation.predictions import STRANGER, Figures, Predictions, figures_of
from model.labels import UNKNOWN


@dataclass(frozen=True)
class LabelComparison:
    """The comparison on one label's stills."""

    label: str
    stills: int
    """Number of stills with this main label."""
    first_f1: float | None
    """None if no still counts for the label, and for `unknown`, whose detection has a metric of its
    own."""
    second_f1: float | None
    """The same for the second classifier."""
    gained: int
    """Stills that only the second classifier predicts correctly, although the first could have."""
    lost: int
    """Stills that only the first classifier predicts correctly, although the second could have."""

    @property
    def difference(self) -> float | None:
        """F1 of the second classifier minus F1 of the first."""
        if self.first_f1 is None or self.second_f1 is None:
            return None
        return self.second_f1 - self.first_f1


@dataclass(frozen=True)
class Change:
    """A still that only one of the two classifiers predicts correctly."""

    index: int
    """Index of the still, in the order of both predictions."""
    truth: str
    """The correct label."""
    first_answer: str
    """Prediction of the first classifier."""
    second_answer: str
    """Prediction of the second classifier."""


@dataclass(frozen=True)
class Comparison:
    """The changes when the second classifier replaces the first."""

    first: Figures
    """Metrics of the first classifier."""
    second: Figures
    """Metrics of the second classifier."""
    labels: tuple[LabelComparison, ...]
    """Labels that any still has, in the first classifier's order; `unknown` comes last."""
    gained: tuple[Change, ...]
    """Stills that only the second classifier predicts correctly, although the first could have."""
    lost: tuple[Change, ...]
    """Stills that only the first classifier predicts correctly, although the second could have."""

    @property
    def chance(self) -> float:
        """The p-value of gains and losses this uneven if neither is better: McNemar's exact test.

        Under the null hypothesis, each still that only one of them predicts correctly is a fair
        coin toss (McNemar, 1947, two-sided). Stills that look alike are not independent: take it as
        a lower bound.
        """
        throws = len(self.gained) + len(self.lost)
        fewer = min(len(self.gained), len(self.lost))
        return min(1.0, 2 * sum(comb(throws, count) for count in range(fewer + 1)) / (1 << throws))


def compare_predictions(first: Predictions, second: Predictions) -> Comparison:
    """Compare the predictions of two classifiers for the same stills.

    Args:
        first: Predictions for n stills.
        second: Predictions for the same stills in the same order; its labels may differ and be in
            another order, as long as both include all labels of the stills.

    Raises:
        ModelError: The stills are not the same.
    """
    truth = _names(first, first.truth)
    if not np.array_equal(truth, _names(second, second.truth)):
        raise ModelError("the two models answered other stills; give both the same dataset")
    answers = _names(first, first.answers), _names(second, second.answers)
    first_right, second_right = first.right, second.right
    # without an output `unknown`, an error on an unknown character does not tell which is better
    gained = tuple(_changes(second_right & ~first_right & first.has_output, truth, *answers))
    lost = tuple(_changes(first_right & ~second_right & second.has_output, truth, *answers))
    figures = figures_of(first), figures_of(second)
    labels = tuple(_by_label(first.labels, truth, *figures, gained, lost))
    return Comparison(*figures, labels, gained, lost)


def _names(answers: Predictions, numbers: NDArray[np.int64]) -> NDArray[np.str_]:
    """Return the names of label numbers; a stranger is always `unknown`."""
    names = np.array([*answers.labels, UNKNOWN])
    return names[np.where(numbers == STRANGER, len(answers.labels), numbers)]


def _changes(
    which: NDArray[np.bool_],
    truth: NDArray[np.str_],
    first: NDArray[np.str_],
    second: NDArray[np.str_],
) -> Iterator[Change]:
    for index in np.flatnonzero(which).tolist():
        yield Change(index, str(truth[index]), str(first[index]), str(second[index]))


def _by_label(
    labels: tuple[str, ...],
    truth: NDArray[np.str_],
    first: Figures,
    second: Figures,
    gained: tuple[Change, ...],
    lost: tuple[Change, ...],
) -> Iterator[LabelComparison]:
    gains, losses = (Counter(change.truth for change in changes) for changes in (gained, lost))
    stills = Counter(truth.tolist())
    first_f1, second_f1 = (
        {each.label: each.f1 for each in figures.score.per_label} for figures in (first, second)
    )
    for label in labels:
        # for a still of several labels, each classifier may have named another
        if label in first_f1 or label in second_f1:
            f1 = first_f1.get(label), second_f1.get(label)
            yield LabelComparison(label, stills[label], *f1, gains[label], losses[label])
    if strangers := stills[UNKNOWN]:
        yield LabelComparison(UNKNOWN, strangers, None, None, gains[UNKNOWN], losses[UNKNOWN])
