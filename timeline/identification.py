"""Identification error rate: the share of what should be said that is wrong, missing or made up.

As speech research counts it (H. Bredin, "pyannote.metrics", Interspeech 2017): at each moment the
labels that are there are set against those that were found; of n and m labels with c in common,
min(n, m) - c are confused, n - m missed, m - n false alarms. All exact, in seconds.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from fractions import Fraction
from itertools import pairwise

from timeline.ranges import common, united, without
from timeline.truth import LabelledRange

Seconds = tuple[Fraction, Fraction]
"""Half-open."""


@dataclass(frozen=True, slots=True)
class IdentificationErrors:
    """Seconds of labels, added over all labels."""

    total: Fraction
    """What is there."""
    correct: Fraction
    confused: Fraction
    missed: Fraction
    false_alarm: Fraction

    @property
    def rate(self) -> float:
        """May exceed 1; of nothing that is there it is 0 if nothing was found, else 1."""
        wrong = self.confused + self.missed + self.false_alarm
        if not self.total:
            return 1.0 if wrong else 0.0
        return float(wrong / self.total)


def label_sets(ranges: Sequence[LabelledRange]) -> dict[str, list[Seconds]]:
    """For each label, sorted, the set of its times; empty labels are left out."""
    labels = sorted({entry.label for entry in ranges if entry.label})
    return {
        label: united(
            (entry.start_seconds, entry.end_seconds) for entry in ranges if entry.label == label
        )
        for label in labels
    }


def scored_seconds(
    truth: Sequence[LabelledRange], duration_seconds: Fraction, collar_seconds: Fraction
) -> list[Seconds]:
    """The times that are scored: all but half a collar to each side of every true border."""
    whole = [(Fraction(0), duration_seconds)]
    half = collar_seconds / 2
    borders = [
        border for ranges in label_sets(truth).values() for each in ranges for border in each
    ]
    if not half:
        return whole
    return without(whole, united((border - half, border + half) for border in borders))


def identification_errors(
    truth: Sequence[LabelledRange], found: Sequence[LabelledRange], scored: Sequence[Seconds]
) -> IdentificationErrors:
    """Count the seconds of labels that are right and wrong within the scored times."""
    there = {label: common(ranges, scored) for label, ranges in label_sets(truth).items()}
    seen = {label: common(ranges, scored) for label, ranges in label_sets(found).items()}
    total = correct = confused = missed = false_alarm = Fraction(0)
    borders = {
        border
        for sets in (there, seen)
        for ranges in sets.values()
        for each in ranges
        for border in each
    }
    ordered = sorted(borders)
    there_at, seen_at = _labels_from(there, ordered), _labels_from(seen, ordered)
    for number, (start, end) in enumerate(pairwise(ordered)):
        true_labels, found_labels = there_at[number], seen_at[number]
        length, right = end - start, len(true_labels & found_labels)
        total += length * len(true_labels)
        correct += length * right
        confused += length * (min(len(true_labels), len(found_labels)) - right)
        missed += length * max(0, len(true_labels) - len(found_labels))
        false_alarm += length * max(0, len(found_labels) - len(true_labels))
    return IdentificationErrors(total, correct, confused, missed, false_alarm)


def _labels_from(sets: dict[str, list[Seconds]], borders: Sequence[Fraction]) -> list[set[str]]:
    """For each border the labels that are there from it to the next."""
    number = {border: i for i, border in enumerate(borders)}
    labels: list[set[str]] = [set() for _ in borders]
    for label, ranges in sets.items():
        for start, end in ranges:
            for i in range(number[start], number[end]):
                labels[i].add(label)
    return labels
