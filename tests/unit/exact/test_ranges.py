"""Sets of ranges, beside sets of whole numbers: one element for each tick."""

from collections.abc import Iterable
from fractions import Fraction

from hypothesis import given
from hypothesis import strategies as st

from exact.ranges import (
    PtsRange,
    PtsRanges,
    clip,
    difference,
    dump_ranges,
    fill_gaps,
    holds,
    intersection,
    lasting,
    load_ranges,
    total,
    union,
)

TICKS = 40
"""The times that are drawn: few, so that ranges often meet."""

times = st.integers(0, TICKS)
ranges = st.lists(st.tuples(times, times), max_size=6)
"""In any order; a third of them hold nothing, some end before they start."""

sets = ranges.map(union)


def ticks(found: Iterable[PtsRange]) -> set[int]:
    """Each time that any of the ranges holds."""
    return {tick for start, end in found for tick in range(start, end)}


def from_ticks(wanted: set[int]) -> PtsRanges:
    """The runs of ticks that follow each other, found by looking at each."""
    starts = [tick for tick in range(TICKS + 1) if tick in wanted and tick - 1 not in wanted]
    ends = [tick for tick in range(TICKS + 1) if tick not in wanted and tick - 1 in wanted]
    return tuple(zip(starts, ends, strict=True))


def in_seconds(found: Iterable[PtsRange]) -> tuple[tuple[Fraction, Fraction], ...]:
    return tuple((Fraction(start, 3), Fraction(end, 3)) for start, end in found)


@given(ranges)
def test_a_union_holds_each_time_of_any_range_in_the_fewest_ranges(drawn: list[PtsRange]) -> None:
    assert union(drawn) == from_ticks(ticks(drawn))
    assert union(in_seconds(drawn)) == in_seconds(union(drawn))


@given(ranges, ranges)
def test_ranges_that_hold_nothing_change_nothing(
    drawn: list[PtsRange], others: list[PtsRange]
) -> None:
    nothing = [(start, end) for start, end in others if start >= end]
    assert union([*nothing, *drawn]) == union(drawn)
    assert clip([*nothing, *drawn], 3, 30) == clip(drawn, 3, 30)


@given(sets, sets)
def test_sets_of_ranges_are_sets(first: PtsRanges, second: PtsRanges) -> None:
    assert intersection(first, second) == from_ticks(ticks(first) & ticks(second))
    assert difference(first, second) == from_ticks(ticks(first) - ticks(second))


@given(sets, sets)
def test_what_is_common_and_what_is_left_make_the_whole(
    first: PtsRanges, second: PtsRanges
) -> None:
    common, left = intersection(first, second), difference(first, second)
    assert union([*common, *left]) == first
    assert total(common) + total(left) == total(first)


@given(ranges, times, times)
def test_ranges_are_clipped_to_a_range_also_to_an_empty_one(
    drawn: list[PtsRange], start: int, end: int
) -> None:
    assert clip(drawn, start, end) == from_ticks(ticks(drawn) & set(range(start, end)))


@given(sets, times)
def test_a_set_holds_the_starts_of_its_ranges_and_not_their_ends(
    drawn: PtsRanges, time: int
) -> None:
    assert holds(drawn, time) == (time in ticks(drawn))
    assert all(holds(drawn, start) and not holds(drawn, end) for start, end in drawn)


@given(
    drawn=sets,
    gap=st.fractions(0, 8, max_denominator=3),
    shortest=st.fractions(0, 12, max_denominator=3),
    within=sets,
)
def test_gaps_are_filled_and_short_ranges_dropped_tick_by_tick(
    drawn: PtsRanges, gap: Fraction, shortest: Fraction, within: PtsRanges
) -> None:
    shown, allowed = ticks(drawn), ticks(within)
    filled = set(shown)
    for start in range(1, TICKS):
        for end in range(start + 1, TICKS):
            hole = set(range(start, end))
            is_hole = start - 1 in shown and end in shown and not hole & shown
            if is_hole and len(hole) <= gap and hole <= allowed:
                filled |= hole
    kept = tuple((start, end) for start, end in from_ticks(filled) if end - start >= shortest)
    assert lasting(fill_gaps(drawn, gap, within), shortest) == kept


@given(sets)
def test_ranges_survive_their_json(drawn: PtsRanges) -> None:
    assert load_ranges(dump_ranges(drawn)) == drawn


def test_json_of_ranges_is_lists_without_spaces() -> None:
    assert dump_ranges([(0, 1001), (2002, 3003)]) == "[[0,1001],[2002,3003]]"
