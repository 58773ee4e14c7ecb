"""Agreement of found ranges with a truth, counted at sample times."""

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

    Where a ratio is 0 to 0, precision, recall and F1 are 1 if there are neither false positives nor
    false negatives, else 0.
    """

    true_positives: int
    """Samples in which the label is present and was found."""
    false_positives: int
    """Samples in which it was found but is absent."""
    false_negatives: int
    """Samples in which it is present but was not found."""

    @property
    def precision(self) -> float:
        """True positives over all found samples."""
        return self._ratio(self.true_positives, self.true_positives + self.false_positives)

    @property
    def recall(self) -> float:
        """True positives over all true samples."""
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
    """By label, sorted: every label of the truth or found in a sample."""
    samples_with_nobody: int
    """Samples at which the truth has no known character."""
    false_tag_samples: int
    """Those of samples_with_nobody in which a character was found all the same."""

    @property
    def true_positives(self) -> int:
        """Pairs of sample and label that are correct."""
        return self.total.true_positives

    @property
    def false_positives(self) -> int:
        """Pairs of sample and label that were found but are absent."""
        return self.total.false_positives

    @property
    def false_negatives(self) -> int:
        """Pairs of sample and label that are present but were not found."""
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
    """Compare true and found labels at each sample time.

    A sample that no range of the truth covers counts as one without a known character, so that a
    truth which lists only appearances still makes every false one count.

    Args:
        truth: The true ranges; an empty label says that no known character is on screen.
        found: The found ranges; empty labels are left out.
        sample_seconds: The times at which to compare, in any order.

    Returns:
        The counts and the metrics derived from them.
    """
    ordered = sorted(sample_seconds)
    return score_samples(
        labels_at(ordered, label_sets(truth)), labels_at(ordered, label_sets(found))
    )


def score_samples(there: Sequence[Set[str]], seen: Sequence[Set[str]]) -> Score:
    """Compare the labels of each sample.

    Args:
        there: The true labels of each sample.
        seen: The found labels of each sample.
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
    """Return for each sample time (ascending) the labels whose half-open ranges contain it.

    Args:
        ordered: The times.
        sets: Each label's ranges, from `label_sets`.
    """
    ranks = [*map(rank, ordered)]
    labels: list[set[str]] = [set() for _ in ordered]
    for label, ranges in sets.items():
        for start, end in ranges:
            first = bisect_left(ranks, rank(start))
            for i in range(first, bisect_left(ranks, rank(end), lo=first)):
                labels[i].add(label)
    return labels
