"""Two recognisers on the same stills: which labels each knows better, what was gained and lost.

Pure: `model.evaluation.evaluation` lets recognisers answer.
"""

from collections import Counter
from collections.abc import Iterator
from dataclasses import dataclass
from math import comb

import numpy as np
from numpy.typing import NDArray

from model.errors import ModelError
from model.evaluation.answers import STRANGER, Answers, Figures, figures_of
from model.labels import UNKNOWN


@dataclass(frozen=True)
class LabelComparison:
    """One label's stills."""

    label: str
    stills: int
    """Whose main label it is."""
    first_f1: float | None
    """None where no still counts for it, and for `unknown`: how well strangers are told apart is a
    figure of its own."""
    second_f1: float | None
    gained: int
    """Stills that the second one answers right and the first one does not, but could have."""
    lost: int
    """The other way round."""

    @property
    def difference(self) -> float | None:
        """F1 of the second minus that of the first."""
        if self.first_f1 is None or self.second_f1 is None:
            return None
        return self.second_f1 - self.first_f1


@dataclass(frozen=True)
class Change:
    """A still that one of the two answers right."""

    index: int
    """Of the still, in the order in which both were asked."""
    truth: str
    first_answer: str
    second_answer: str


@dataclass(frozen=True)
class Comparison:
    """What changes when the second recogniser takes the place of the first."""

    first: Figures
    second: Figures
    labels: tuple[LabelComparison, ...]
    """Of the labels that any still has, in the first one's order; `unknown` comes last."""
    gained: tuple[Change, ...]
    """What the second one answers right and the first one does not, but could have."""
    lost: tuple[Change, ...]
    """The other way round."""

    @property
    def chance(self) -> float:
        """How likely so uneven a gain and loss is if neither is better: McNemar's exact test.

        Each still that only one of them answers right is then a fair coin's throw (McNemar, 1947,
        two-sided). Stills that look alike are no throws of their own: take it as a lower bound.
        """
        throws = len(self.gained) + len(self.lost)
        fewer = min(len(self.gained), len(self.lost))
        return min(1.0, 2 * sum(comb(throws, count) for count in range(fewer + 1)) / (1 << throws))


def compare_answers(first: Answers, second: Answers) -> Comparison:
    """Compare what two recognisers said of the same stills.

    Args:
        first: of n stills.
        second: of the same stills in the same order; its labels may be others and in another
            order, as long as both have all that the stills have.

    Raises:
        ModelError: the stills are not the same.
    """
    truth = _names(first, first.truth)
    if not np.array_equal(truth, _names(second, second.truth)):
        raise ModelError("the two models answered other stills; give both the same dataset")
    answers = _names(first, first.answers), _names(second, second.answers)
    first_right, second_right = first.right, second.right
    # who cannot say `unknown` had no right answer to a stranger: it does not tell which is better
    gained = tuple(_changes(second_right & ~first_right & first.has_output, truth, *answers))
    lost = tuple(_changes(first_right & ~second_right & second.has_output, truth, *answers))
    figures = figures_of(first), figures_of(second)
    labels = tuple(_by_label(first.labels, truth, *figures, gained, lost))
    return Comparison(*figures, labels, gained, lost)


def _names(answers: Answers, numbers: NDArray[np.int64]) -> NDArray[np.str_]:
    """Return labels by their numbers; a stranger is `unknown` whether or not that is an output."""
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
        # of a still of several labels each may have named another
        if label in first_f1 or label in second_f1:
            f1 = first_f1.get(label), second_f1.get(label)
            yield LabelComparison(label, stills[label], *f1, gains[label], losses[label])
    if strangers := stills[UNKNOWN]:
        yield LabelComparison(UNKNOWN, strangers, None, None, gains[UNKNOWN], losses[UNKNOWN])
