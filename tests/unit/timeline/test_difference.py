"""What is gained, lost and unchanged between two timelines."""

from fractions import Fraction
from itertools import pairwise

from hypothesis import given
from hypothesis import strategies as st

from timeline.drawing.difference import LabelDifference, Span, differences, length
from timeline.scoring.truth import LabelledRange


def ranges(label: str, *spans: tuple[int, int]) -> list[LabelledRange]:
    return [LabelledRange(label, Fraction(start), Fraction(end)) for start, end in spans]


def spans(*pairs: tuple[int, int]) -> tuple[Span, ...]:
    return tuple((Fraction(start), Fraction(end)) for start, end in pairs)


def test_a_range_that_moves_gains_at_one_end_and_loses_at_the_other() -> None:
    [found] = differences(ranges("ned", (10, 20)), ranges("ned", (14, 25)))
    assert found == LabelDifference(
        "ned", gained=spans((20, 25)), lost=spans((10, 14)), unchanged=spans((14, 20))
    )


def test_ranges_that_touch_are_no_change() -> None:
    [found] = differences(ranges("ned", (0, 5), (5, 9)), ranges("ned", (0, 9)))
    assert not found.is_changed
    assert found.unchanged == spans((0, 9))


def test_labels_of_one_side_alone_are_gained_or_lost_whole() -> None:
    lost, gained = differences(ranges("bart", (1, 2)), ranges("ned", (3, 5)))
    assert (lost.label, lost.lost, lost.gained) == ("bart", spans((1, 2)), ())
    assert (gained.label, gained.gained, gained.lost) == ("ned", spans((3, 5)), ())
    assert length(gained.gained) == 2


def test_nobody_is_no_label() -> None:
    assert differences(ranges("", (0, 9)), []) == []


SPANS = st.lists(
    st.tuples(st.integers(0, 30), st.integers(1, 9)).map(lambda pair: (pair[0], sum(pair))),
    max_size=6,
)


@given(SPANS, SPANS)
def test_every_moment_is_of_the_kind_that_a_look_at_it_tells(
    first: list[tuple[int, int]], second: list[tuple[int, int]]
) -> None:
    found = differences(ranges("ned", *first), ranges("ned", *second))
    kinds = found[0] if found else LabelDifference("ned", (), (), ())
    for moment in range(45):
        here = [any(start <= moment < end for start, end in side) for side in (first, second)]
        told = [
            sum(start <= moment < end for start, end in kind)
            for kind in (kinds.gained, kinds.lost, kinds.unchanged)
        ]
        assert told == [here == [False, True], here == [True, False], here == [True, True]]
    for kind in (kinds.gained, kinds.lost, kinds.unchanged):
        assert all(before[1] < after[0] for before, after in pairwise(kind))
