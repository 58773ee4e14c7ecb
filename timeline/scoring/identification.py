"""Identification error rate: the share of the true time that is confused, missed or a false alarm.

Counted as in speech research (H. Bredin, "pyannote.metrics", Interspeech 2017): at each moment the
n true labels are compared with the m found ones; with c in common, min(n, m) - c are confused, n -
m missed, m - n false alarms. All exact, in seconds.
"""

from collections import defaultdict
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from fractions import Fraction
from itertools import pairwise

from exact.ranges import difference, intersection, rank, union
from timeline.scoring.truth import LabelledRange

Seconds = tuple[Fraction, Fraction]
"""A half-open range in seconds."""


@dataclass(frozen=True, slots=True)
class IdentificationErrors:
    """Seconds of labels, added over all labels."""

    total: Fraction
    """The true seconds."""
    correct: Fraction
    confused: Fraction
    missed: Fraction
    false_alarm: Fraction

    @property
    def rate(self) -> float:
        """The error rate, which may exceed 1; without true labels 0 if none was found, else 1."""
        wrong = self.confused + self.missed + self.false_alarm
        if not self.total:
            return 1.0 if wrong else 0.0
        return float(wrong / self.total)


def label_sets(ranges: Sequence[LabelledRange]) -> dict[str, tuple[Seconds, ...]]:
    """Return for each label, sorted, the set of its times; empty labels are left out."""
    by_label: dict[str, list[Seconds]] = defaultdict(list)
    for entry in ranges:
        if entry.label:
            by_label[entry.label].append((entry.start_seconds, entry.end_seconds))
    return {label: union(by_label[label]) for label in sorted(by_label)}


def scored_seconds(
    truth: Sequence[LabelledRange], duration_seconds: Fraction, collar_seconds: Fraction
) -> tuple[Seconds, ...]:
    """Return the scored times: all except half a collar to each side of every true border."""
    whole = ((Fraction(0), duration_seconds),)
    half = collar_seconds / 2
    if not half:
        return whole
    borders = [
        border for ranges in label_sets(truth).values() for each in ranges for border in each
    ]
    return difference(whole, union((border - half, border + half) for border in borders))


def identification_errors(
    truth: Sequence[LabelledRange], found: Sequence[LabelledRange], scored: Sequence[Seconds]
) -> IdentificationErrors:
    """Count the seconds of labels that are right and wrong within the scored times."""
    there = {label: intersection(ranges, scored) for label, ranges in label_sets(truth).items()}
    seen = {label: intersection(ranges, scored) for label, ranges in label_sets(found).items()}
    changes_there, changes_seen = _changes(there), _changes(seen)
    true_labels: set[str] = set()
    found_labels: set[str] = set()
    spent: dict[tuple[int, int, int], Fraction] = defaultdict(Fraction)
    for start, end in pairwise(sorted({*changes_there, *changes_seen}, key=rank)):
        true_labels ^= changes_there.get(start, set())
        found_labels ^= changes_seen.get(start, set())
        right = len(true_labels & found_labels)
        spent[len(true_labels), len(found_labels), right] += end - start

    def seconds(count: Callable[[int, int, int], int]) -> Fraction:
        return sum((count(*of) * length for of, length in spent.items()), Fraction(0))

    return IdentificationErrors(
        total=seconds(lambda true, _found, _right: true),
        correct=seconds(lambda _true, _found, right: right),
        confused=seconds(lambda true, found, right: min(true, found) - right),
        missed=seconds(lambda true, found, _right: max(0, true - found)),
        false_alarm=seconds(lambda true, found, _right: max(0, found - true)),
    )


def _changes(sets: Mapping[str, Sequence[Seconds]]) -> dict[Fraction, set[str]]:
    """Return the labels that start or end at each border; no set has two ranges that touch."""
    changes: dict[Fraction, set[str]] = defaultdict(set)
    for label, ranges in sets.items():
        for each in ranges:
            for border in each:
                changes[border].add(label)
    return changes
