"""How well found ranges agree with a truth, counted at sample times."""

from bisect import bisect_left
from collections import Counter
from collections.abc import Mapping, Sequence, Set
from dataclasses import dataclass
from fractions import Fraction

from exact.ranges import rank
from timeline.scoring.identification import Seconds, label_sets
from timeline.scoring.truth import LabelledRange


@dataclass(frozen=True, slots=True)
class LabelScore:
    """Counts of one label, or of all labels together, over the samples.

    Where there is nothing to be right or wrong about (a ratio of 0 to 0), precision, recall and F1
    are 1 if nothing was missed or made up, else 0.
    """

    true_positives: int
    """Samples in which the label is, and was found."""
    false_positives: int
    """Samples in which it was found, and is not."""
    false_negatives: int
    """Samples in which it is, and was not found."""

    @property
    def precision(self) -> float:
        """Share of what was found that is there."""
        return self._ratio(self.true_positives, self.true_positives + self.false_positives)

    @property
    def recall(self) -> float:
        """Share of what is there that was found."""
        return self._ratio(self.true_positives, self.true_positives + self.false_negatives)

    @property
    def f1(self) -> float:
        """Harmonic mean of precision and recall."""
        right = 2 * self.true_positives
        return self._ratio(right, right + self.false_positives + self.false_negatives)

    def _ratio(self, part: int, whole: int) -> float:
        if whole == 0:
            return 0.0 if self.false_positives or self.false_negatives else 1.0
        return part / whole


@dataclass(frozen=True, slots=True)
class Score:
    """Agreement of found ranges with a truth over all samples."""

    samples: int
    total: LabelScore
    """The counts of all labels, added (the micro average)."""
    per_label: dict[str, LabelScore]
    """By label, sorted: every label of the truth or of what was found in a sample."""
    samples_with_nobody: int
    """Samples at which the truth knows nobody."""
    false_tag_samples: int
    """Those of samples_with_nobody in which somebody was found all the same."""

    @property
    def true_positives(self) -> int:
        """Pairs of sample and label that are right."""
        return self.total.true_positives

    @property
    def false_positives(self) -> int:
        """Pairs of sample and label that were found and are not there."""
        return self.total.false_positives

    @property
    def false_negatives(self) -> int:
        """Pairs of sample and label that are there and were not found."""
        return self.total.false_negatives

    @property
    def micro_precision(self) -> float:
        """Precision over all labels."""
        return self.total.precision

    @property
    def micro_recall(self) -> float:
        """Recall over all labels."""
        return self.total.recall

    @property
    def micro_f1(self) -> float:
        """F1 over all labels."""
        return self.total.f1

    @property
    def macro_precision(self) -> float:
        """Mean of the labels' precisions; 1 where there is no label."""
        return _mean([counts.precision for counts in self.per_label.values()])

    @property
    def macro_recall(self) -> float:
        """Mean of the labels' recalls; 1 where there is no label."""
        return _mean([counts.recall for counts in self.per_label.values()])

    @property
    def macro_f1(self) -> float:
        """Mean of the labels' F1; 1 where there is no label."""
        return _mean([counts.f1 for counts in self.per_label.values()])


def frame_level_score(
    truth: Sequence[LabelledRange],
    found: Sequence[LabelledRange],
    sample_seconds: Sequence[Fraction],
) -> Score:
    """Compare the labels of truth and of what was found at each sample time.

    A sample that no range of the truth covers counts as one where nobody known is on screen, so
    that a truth which lists appearances alone still makes every false one count.

    Args:
        truth: what is; ranges with an empty label say that nobody known is on screen.
        found: what was found; empty labels are left out.
        sample_seconds: the times to compare at, in any order.

    Returns:
        The counts and what follows from them.
    """
    ordered = sorted(sample_seconds)
    return score_samples(
        labels_at(ordered, label_sets(truth)), labels_at(ordered, label_sets(found))
    )


def score_samples(there: Sequence[Set[str]], seen: Sequence[Set[str]]) -> Score:
    """Compare the labels of each sample.

    Args:
        there: of each sample, those that are on screen.
        seen: of each, those that were found.
    """
    right, made_up, missed = Counter[str](), Counter[str](), Counter[str]()
    for true_labels, found_labels in zip(there, seen, strict=True):
        right.update(true_labels & found_labels)
        made_up.update(found_labels - true_labels)
        missed.update(true_labels - found_labels)
    labels = sorted({*right, *made_up, *missed})
    nobody = [
        bool(found_labels) for labels, found_labels in zip(there, seen, strict=True) if not labels
    ]
    return Score(
        samples=len(there),
        total=LabelScore(right.total(), made_up.total(), missed.total()),
        per_label={
            label: LabelScore(right[label], made_up[label], missed[label]) for label in labels
        },
        samples_with_nobody=len(nobody),
        false_tag_samples=sum(nobody),
    )


def _mean(values: Sequence[float]) -> float:
    return sum(values) / len(values) if values else 1.0


def labels_at(ordered: Sequence[Fraction], sets: Mapping[str, Sequence[Seconds]]) -> list[set[str]]:
    """For each sample time (ascending) the labels whose half-open ranges contain it.

    Args:
        ordered: the times.
        sets: each label's ranges, as `label_sets` gives them.
    """
    ranks = [*map(rank, ordered)]
    labels: list[set[str]] = [set() for _ in ordered]
    for label, ranges in sets.items():
        for start, end in ranges:
            first = bisect_left(ranks, rank(start))
            for i in range(first, bisect_left(ranks, rank(end), lo=first)):
                labels[i].add(label)
    return labels
