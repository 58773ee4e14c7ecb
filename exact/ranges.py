"""Half-open ranges of exact time, and sets of them.

A range holds the times `start <= time < end`. A range that does not end after its start is empty,
and every function here ignores it. A set of times is a tuple of ranges in ascending order that
neither overlap nor touch; `union` makes a set of arbitrary ranges. Times are pts or exact seconds,
never floats.
"""

import json
from bisect import bisect_right
from collections.abc import Iterable, Sequence
from fractions import Fraction
from itertools import pairwise
from typing import TypeAlias, TypeVar

Time = TypeVar("Time", int, Fraction)

PtsRange: TypeAlias = tuple[int, int]
"""Half-open: start_pts <= pts < end_pts."""

PtsRanges: TypeAlias = tuple[PtsRange, ...]


def rank(time: Time) -> tuple[float, Time]:
    """Return a sort key for times, several times as fast to compare as exact seconds.

    Rounding never swaps two times, so the float decides; the exact time breaks ties between floats.
    """
    return float(time), time


def union(ranges: Iterable[tuple[Time, Time]]) -> tuple[tuple[Time, Time], ...]:
    """Return the set of all times in any of the ranges, which may be unordered and may overlap."""
    joined: list[tuple[Time, Time]] = []
    for start, end in sorted(ranges, key=lambda each: rank(each[0])):
        if end <= start:
            continue
        if joined and start <= joined[-1][1]:
            joined[-1] = joined[-1][0], max(end, joined[-1][1])
        else:
            joined.append((start, end))
    return tuple(joined)


def intersection(
    first: Sequence[tuple[Time, Time]], second: Sequence[tuple[Time, Time]]
) -> tuple[tuple[Time, Time], ...]:
    """Return the set of times in both sets."""
    if first and len(second) == 1 and _spans(second[0], first):  # the usual case: all was examined
        return tuple(first)
    found: list[tuple[Time, Time]] = []
    i = j = 0
    while i < len(first) and j < len(second):
        start, end = first[i]
        other_start, other_end = second[j]
        if end < other_end:
            i += 1
        else:
            j += 1
            end = other_end
        if start < other_start:
            start = other_start
        if start < end:
            found.append((start, end))
    return tuple(found)


def difference(
    first: Sequence[tuple[Time, Time]], second: Sequence[tuple[Time, Time]]
) -> tuple[tuple[Time, Time], ...]:
    """Return the set of times in the first set that are not in the second."""
    found: list[tuple[Time, Time]] = []
    j = 0
    for start, end in first:
        while j < len(second) and second[j][1] <= start:
            j += 1
        left = start
        for cut_start, cut_end in second[j:]:
            if cut_start >= end:
                break
            if left < cut_start:
                found.append((left, cut_start))
            left = cut_end
        if left < end:
            found.append((left, end))
    return tuple(found)


def clip(
    ranges: Iterable[tuple[Time, Time]], start: Time, end: Time
) -> tuple[tuple[Time, Time], ...]:
    """Return the set of times in the ranges that lie in start <= time < end."""
    return intersection(union(ranges), union([(start, end)]))


def holds(ranges: Sequence[tuple[Time, Time]], time: Time) -> bool:
    """Tell whether a set holds a time."""
    after = bisect_right(ranges, time, key=lambda one: one[0])
    return after > 0 and time < ranges[after - 1][1]


def fill_gaps(
    ranges: Sequence[tuple[Time, Time]],
    longest_gap: Fraction,
    within: Sequence[tuple[Time, Time]],
) -> tuple[tuple[Time, Time], ...]:
    """Fill the gaps of a set that last at most `longest_gap` and lie within `within`."""
    filled = list(ranges)
    for (_, gap_start), (gap_end, _) in pairwise(ranges):
        gap = gap_start, gap_end
        if gap_end - gap_start <= longest_gap and intersection([gap], within) == (gap,):
            filled.append(gap)
    return union(filled)


def lasting(
    ranges: Sequence[tuple[Time, Time]], shortest: Fraction
) -> tuple[tuple[Time, Time], ...]:
    """Return the ranges of the set that last at least `shortest`."""
    return tuple((start, end) for start, end in ranges if end - start >= shortest)


def total(ranges: Iterable[tuple[int, int]]) -> int:
    """Return the total duration of the ranges of a set."""
    return sum(end - start for start, end in ranges)


def dump_ranges(ranges: Iterable[PtsRange]) -> str:
    """Serialise ranges to JSON, such as `[[0,1001],[2002,3003]]`."""
    return json.dumps([list(item) for item in ranges], separators=(",", ":"))


def load_ranges(text: str) -> PtsRanges:
    """Parse the output of `dump_ranges`."""
    return tuple((int(start), int(end)) for start, end in json.loads(text))


def _spans(outer: tuple[Time, Time], ranges: Sequence[tuple[Time, Time]]) -> bool:
    return outer[0] <= ranges[0][0] and ranges[-1][1] <= outer[1]
