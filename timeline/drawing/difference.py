"""Compare two timelines: the ranges that a new one gains and loses."""

from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from fractions import Fraction
from itertools import groupby, pairwise

from timeline.scoring.truth import LabelledRange

Span = tuple[Fraction, Fraction]
"""Half-open [start_seconds, end_seconds)."""


@dataclass(frozen=True, slots=True)
class LabelDifference:
    """The differences for one label; the three kinds never overlap and are ascending."""

    label: str
    gained: tuple[Span, ...]
    """Ranges in the second timeline only."""
    lost: tuple[Span, ...]
    """Ranges in the first timeline only."""
    unchanged: tuple[Span, ...]
    """Ranges in both."""

    @property
    def is_changed(self) -> bool:
        """Whether anything was gained or lost."""
        return bool(self.gained or self.lost)


def differences(
    first: Sequence[LabelledRange], second: Sequence[LabelledRange]
) -> list[LabelDifference]:
    """Compare two sets of ranges label by label, in alphabetical order.

    Ranges of one label that overlap or touch count once.
    """
    labels = sorted({item.label for item in (*first, *second) if item.label})
    return [_difference(label, _of(label, first), _of(label, second)) for label in labels]


def length(spans: Iterable[Span]) -> Fraction:
    """Return the total duration of spans in seconds."""
    return sum((end - start for start, end in spans), Fraction(0))


def _of(label: str, ranges: Sequence[LabelledRange]) -> list[LabelledRange]:
    return [item for item in ranges if item.label == label]


def _difference(
    label: str, first: list[LabelledRange], second: list[LabelledRange]
) -> LabelDifference:
    kinds: dict[tuple[bool, bool], list[Span]] = {}
    for kind, span in _pieces(first, second):
        kinds.setdefault(kind, []).append(span)
    gained, lost, both = ((False, True), (True, False), (True, True))
    return LabelDifference(label, *(tuple(kinds.get(kind, ())) for kind in (gained, lost, both)))


def _pieces(
    first: list[LabelledRange], second: list[LabelledRange]
) -> Iterator[tuple[tuple[bool, bool], Span]]:
    """Yield the longest spans over which membership is constant: ((in first, in second), span)."""
    changes: dict[Fraction, list[int]] = {}
    for side, ranges in enumerate((first, second)):
        for item in ranges:
            for seconds, step in ((item.start_seconds, 1), (item.end_seconds, -1)):
                changes.setdefault(seconds, [0, 0])[side] += step
    depth = [0, 0]
    pieces: list[tuple[tuple[bool, bool], Span]] = []
    for start, end in pairwise(sorted(changes)):
        depth = [before + step for before, step in zip(depth, changes[start], strict=True)]
        pieces.append(((depth[0] > 0, depth[1] > 0), (start, end)))
    for kind, together in groupby(pieces, key=lambda piece: piece[0]):
        spans = [span for _, span in together]
        yield kind, (spans[0][0], spans[-1][1])
