"""Sets of half-open ranges: what is common to them, what is in either, what is left.

A set is a list of ranges `start <= time < end`, ascending, none of which overlaps or touches the
next. Times are pts or exact seconds, never floats.
"""

from collections.abc import Iterable, Sequence
from fractions import Fraction
from itertools import pairwise
from typing import TypeVar

Time = TypeVar("Time", int, Fraction)


def rank(time: Time) -> tuple[float, Time]:
    """What sorts as the time itself does, several times as fast for exact seconds.

    Rounding never swaps two times, so that the float decides, and the time where floats are equal.
    """
    return float(time), time


def united(ranges: Iterable[tuple[Time, Time]]) -> list[tuple[Time, Time]]:
    """The set of all times in any of the ranges, which may come in any order and overlap."""
    joined: list[tuple[Time, Time]] = []
    for start, end in sorted(ranges, key=lambda each: rank(each[0])):
        if joined and start <= joined[-1][1]:
            joined[-1] = joined[-1][0], max(end, joined[-1][1])
        else:
            joined.append((start, end))
    return joined


def common(
    first: Sequence[tuple[Time, Time]], second: Sequence[tuple[Time, Time]]
) -> list[tuple[Time, Time]]:
    """The set of times in both sets."""
    if first and len(second) == 1 and _spans(second[0], first):  # as most that was examined does
        return list(first)
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
    return found


def without(
    first: Sequence[tuple[Time, Time]], second: Sequence[tuple[Time, Time]]
) -> list[tuple[Time, Time]]:
    """The set of times in the first set and not in the second."""
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
    return found


def bridged(
    ranges: Sequence[tuple[Time, Time]],
    longest_gap: Fraction,
    within: Sequence[tuple[Time, Time]],
) -> list[tuple[Time, Time]]:
    """The set with its gaps of at most `longest_gap` filled where they lie wholly in `within`."""
    filled = list(ranges)
    for (_, gap_start), (gap_end, _) in pairwise(ranges):
        gap = gap_start, gap_end
        if gap_end - gap_start <= longest_gap and common([gap], within) == [gap]:
            filled.append(gap)
    return united(filled)


def lasting(ranges: Sequence[tuple[Time, Time]], shortest: Fraction) -> list[tuple[Time, Time]]:
    """Those ranges of the set that last at least `shortest`."""
    return [(start, end) for start, end in ranges if end - start >= shortest]


def _spans(outer: tuple[Time, Time], ranges: Sequence[tuple[Time, Time]]) -> bool:
    return outer[0] <= ranges[0][0] and ranges[-1][1] <= outer[1]
