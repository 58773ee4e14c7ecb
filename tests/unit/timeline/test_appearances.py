"""Tags to appearances, against tables made by hand."""

import itertools
import random
from collections.abc import Sequence
from fractions import Fraction
from time import thread_time

import pytest
from hypothesis import given
from hypothesis import strategies as st

from timeline.appearances.from_tags import Appearance, Tag, find_appearances
from timeline.appearances.rules import Rules
from timeline.errors import TimelineError

TIME_BASE = Fraction(1, 100)
STEP = 10  # pts between samples: 0.1 s
RULES = Rules(onset=0.6, offset=0.4)


def _tags(confidences: Sequence[float | None], label: str = "a") -> list[Tag]:
    """One tag per sample; None leaves the sample untagged."""
    return [
        Tag(i * STEP, label, confidence)
        for i, confidence in enumerate(confidences)
        if confidence is not None
    ]


def _found(
    confidences: Sequence[float | None],
    rules: Rules = RULES,
    missing: Sequence[tuple[int, int]] = (),
) -> list[tuple[int, int]]:
    samples = [i * STEP for i in range(len(confidences))]
    end_pts = len(confidences) * STEP
    found = find_appearances(_tags(confidences), samples, end_pts, TIME_BASE, rules, missing)
    return [(appearance.start_pts, appearance.end_pts) for appearance in found]


@pytest.mark.parametrize(
    ("confidences", "ranges"),
    [
        ([], []),
        ([None, None], []),
        ([0.5, 0.5, 0.5], []),  # above offset, never at onset
        ([0.6], [(0, 10)]),  # onset itself is enough
        ([None, 0.9, 0.4, 0.5, 0.39, 0.5], [(10, 40)]),  # offset itself still holds
        ([0.9, None, 0.5, 0.9], [(0, 10), (30, 40)]),  # no tag is confidence 0
        ([0.5, 0.9, 0.9], [(10, 30)]),  # the last frame speaks until the end
        ([0.9, 0.1, 0.9, 0.1], [(0, 10), (20, 30)]),
    ],
)
def test_an_appearance_starts_at_onset_and_ends_below_offset(
    confidences: Sequence[float | None], ranges: list[tuple[int, int]]
) -> None:
    assert _found(confidences) == ranges


@pytest.mark.parametrize(
    ("gap_seconds", "ranges"),
    [
        (Fraction(0), [(0, 10), (30, 40)]),
        (Fraction(2, 10), [(0, 10), (30, 40)]),  # the gap is just as long: not shorter
        (Fraction(21, 100), [(0, 40)]),
    ],
)
def test_a_gap_shorter_than_min_duration_off_is_filled(
    gap_seconds: Fraction, ranges: list[tuple[int, int]]
) -> None:
    rules = Rules(0.6, 0.4, min_duration_off_seconds=gap_seconds)
    assert _found([0.9, None, None, 0.9], rules) == ranges


@pytest.mark.parametrize(
    ("keep_seconds", "ranges"),
    [
        (Fraction(1, 10), [(0, 10), (20, 40)]),  # just as long: not shorter
        (Fraction(11, 100), [(20, 40)]),
        (Fraction(21, 100), []),
    ],
)
def test_an_appearance_shorter_than_min_duration_on_is_dropped(
    keep_seconds: Fraction, ranges: list[tuple[int, int]]
) -> None:
    rules = Rules(0.6, 0.4, min_duration_on_seconds=keep_seconds)
    assert _found([0.9, None, 0.9, 0.9], rules) == ranges


def test_gaps_are_filled_before_short_appearances_are_dropped() -> None:
    rules = Rules(0.6, 0.4, Fraction(3, 10), Fraction(2, 10))
    assert _found([0.9, None, 0.9, None, None, None, 0.9], rules) == [(0, 30)]


@pytest.mark.parametrize(
    ("missing", "ranges"),
    [
        ([(25, 27)], [(0, 25), (30, 60)]),
        ([(20, 30)], [(0, 20), (30, 60)]),  # the frame at 20 lies in it and speaks for nothing
        ([(25, 45)], [(0, 25), (50, 60)]),
        ([(41, 45), (25, 30), (30, 41)], [(0, 25), (50, 60)]),  # in any order, meeting each other
        ([(25, 28), (26, 27)], [(0, 25), (30, 60)]),
        ([(-50, 5)], [(10, 60)]),
        ([(55, 999)], [(0, 55)]),
        ([(0, 60)], []),
    ],
)
def test_no_appearance_spans_a_missing_range(
    missing: list[tuple[int, int]], ranges: list[tuple[int, int]]
) -> None:
    assert _found([0.9] * 6, missing=missing) == ranges
    generous = Rules(0.6, 0.4, min_duration_off_seconds=Fraction(100))
    assert _found([0.9] * 6, generous, missing) == ranges


def test_after_a_missing_range_only_the_onset_starts_an_appearance() -> None:
    confidences = [0.9, 0.5, 0.5, 0.5, 0.9]
    assert _found(confidences) == [(0, 50)]
    assert _found(confidences, missing=[(15, 20)]) == [(0, 15), (40, 50)]


def test_a_gap_with_a_missing_range_in_it_is_not_filled() -> None:
    rules = Rules(0.6, 0.4, min_duration_off_seconds=Fraction(1))
    assert _found([0.9, None, None, 0.9], rules) == [(0, 40)]
    assert _found([0.9, None, None, 0.9], rules, [(22, 24)]) == [(0, 10), (30, 40)]


def test_samples_at_uneven_times_speak_until_the_next_one() -> None:
    tags = [Tag(100, "a", 0.9), Tag(107, "a", 0.9)]
    found = find_appearances(tags, [100, 107, 150], 151, TIME_BASE, RULES)
    assert [(a.start_pts, a.end_pts) for a in found] == [(100, 150)]


def test_the_confidence_is_that_of_the_tagged_frames_inside() -> None:
    rules = Rules(0.6, 0.4, min_duration_off_seconds=Fraction(1))
    tags = _tags([0.1, 0.75, 0.25, None, 1.0, 0.1])
    (found,) = find_appearances(tags, range(0, 60, 10), 60, TIME_BASE, rules)
    # inside: 0.75, 0.25 and 1.0; the untagged frame is no frame of it
    assert found == Appearance("a", 10, 50, 3, 2 / 3, 1.0)


def test_labels_are_independent_and_sorted_by_start_then_label() -> None:
    tags = _tags([None, 0.9, 0.9], "b") + _tags([None, 0.9, None], "a") + _tags([0.9], "c")
    found = find_appearances(tags, [0, 10, 20], 30, TIME_BASE, RULES)
    assert [(a.label, a.start_pts, a.end_pts) for a in found] == [
        ("c", 0, 10),
        ("a", 10, 20),
        ("b", 10, 30),
    ]


def test_a_label_may_have_thresholds_of_its_own() -> None:
    rules = Rules(0.6, 0.4, label_thresholds={"b": (0.95, 0.9)})
    tags = _tags([0.9, 0.5]) + _tags([0.92, 0.92], "b")
    assert [a.label for a in find_appearances(tags, [0, 10], 20, TIME_BASE, rules)] == ["a"]
    assert rules.thresholds("b") == (0.95, 0.9)
    assert rules.thresholds("a") == (0.6, 0.4)


def test_durations_are_compared_exactly_in_a_time_base_of_thirds() -> None:
    # 1001/30000 s per pts: 30 pts last 1.001 s, which no float says exactly.
    samples, time_base = [0, 30], Fraction(1001, 30000)
    rules = Rules(0.6, 0.4, min_duration_on_seconds=Fraction(1001, 1000))
    tag = [Tag(0, "a", 0.9)]
    assert len(find_appearances(tag, samples, 60, time_base, rules)) == 1
    longer = Rules(0.6, 0.4, min_duration_on_seconds=Fraction(1001, 1000) + Fraction(1, 10**12))
    assert find_appearances(tag, samples, 60, time_base, longer) == []


@pytest.mark.parametrize(
    ("onset", "offset"), [(0.4, 0.6), (0.5, 0.0), (1.1, 0.5), (float("nan"), 0.5)]
)
def test_thresholds_that_cannot_be_are_refused(onset: float, offset: float) -> None:
    with pytest.raises(TimelineError, match="0 < offset <= onset <= 1"):
        Rules(onset, offset)
    with pytest.raises(TimelineError, match="rules of b"):
        Rules(0.5, 0.5, label_thresholds={"b": (onset, offset)})


def test_other_values_that_cannot_be_are_refused() -> None:
    with pytest.raises(TimelineError, match="min_duration_off_seconds"):
        Rules(0.5, 0.5, min_duration_off_seconds=Fraction(-1))
    with pytest.raises(TimelineError, match="confidence"):
        Tag(0, "a", float("nan"))
    with pytest.raises(TimelineError, match="label is empty"):
        Tag(0, "", 0.5)
    with pytest.raises(TimelineError, match="end after its start"):
        Appearance("a", 5, 5, 1, 0.5, 0.5)
    with pytest.raises(TimelineError, match="mean"):
        Appearance("a", 0, 5, 1, 0.6, 0.5)


@pytest.mark.parametrize(
    ("tags", "samples", "missing", "says"),
    [
        ([Tag(5, "a", 0.9)], [0, 10], [], "no frame was sampled"),
        ([], [10, 0], [], "later than the one before"),
        ([], [0, 0], [], "later than the one before"),
        ([], [0, 20], [], "followed by 20"),  # the last sample is not before the end
        ([], [0, 10], [(5, 5)], "missing range"),
    ],
)
def test_samples_tags_and_ranges_that_do_not_fit_are_refused(
    tags: list[Tag], samples: list[int], missing: list[tuple[int, int]], says: str
) -> None:
    with pytest.raises(TimelineError, match=says):
        find_appearances(tags, samples, 20, TIME_BASE, RULES, missing)


def _slowly_found(
    confidences: Sequence[float], rules: Rules, missing: Sequence[tuple[int, int]]
) -> list[tuple[int, int]]:
    """The meaning, written down a second time: tick by tick, for one label."""
    length = len(confidences) * STEP
    lost = [any(start <= pts < end for start, end in missing) for pts in range(length)]
    known = [not any(lost[pts - pts % STEP : pts + 1]) for pts in range(length)]
    onset, offset = rules.thresholds("a")
    state, active = False, []
    for pts in range(length):
        confidence = confidences[pts // STEP]
        state = known[pts] and confidence >= (offset if state else onset)
        active.append(state)
    for value, minimum in (
        (True, rules.min_duration_off_seconds / TIME_BASE),
        (False, rules.min_duration_on_seconds / TIME_BASE),
    ):
        for start, end in _runs(active, not value):
            inner = start > 0 and end < length and all(known[start:end])
            if end - start < minimum and (inner or not value):
                active[start:end] = [value] * (end - start)
    return _runs(active, value=True)


def _runs(flags: Sequence[bool], value: bool) -> list[tuple[int, int]]:
    borders = [i for i in range(len(flags) + 1) if i in (0, len(flags)) or flags[i] != flags[i - 1]]
    pairs = itertools.pairwise(borders)
    return [(start, end) for start, end in pairs if flags[start] == value]


confidences_of_frames = st.lists(st.sampled_from([0.0, 0.3, 0.5, 0.9]), min_size=1, max_size=20)
ranges_of_pts = st.lists(
    st.tuples(st.integers(-10, 200), st.integers(1, 40)).map(lambda r: (r[0], r[0] + r[1])),
    max_size=3,
)
durations = st.integers(0, 50).map(lambda ticks: ticks * TIME_BASE)


@given(confidences_of_frames, ranges_of_pts, durations, durations)
def test_what_is_found_is_what_the_meaning_says_tick_by_tick(
    confidences: list[float],
    missing: list[tuple[int, int]],
    keep_seconds: Fraction,
    gap_seconds: Fraction,
) -> None:
    rules = Rules(0.6, 0.4, keep_seconds, gap_seconds)
    assert _found(confidences, rules, missing) == _slowly_found(confidences, rules, missing)


@given(st.data(), confidences_of_frames, confidences_of_frames)
def test_the_order_of_tags_changes_nothing(
    data: st.DataObject, first: list[float], second: list[float]
) -> None:
    tags = _tags(first, "a") + _tags(second, "b")
    shuffled = data.draw(st.permutations(tags))
    samples = [i * STEP for i in range(max(len(first), len(second)))]
    end_pts = len(samples) * STEP
    in_order = find_appearances(tags, samples, end_pts, TIME_BASE, RULES)
    assert find_appearances(shuffled, samples, end_pts, TIME_BASE, RULES) == in_order


def test_of_two_tags_for_one_frame_and_label_the_surest_counts() -> None:
    tags = [Tag(0, "a", 0.9), Tag(0, "a", 0.2)]
    (found,) = find_appearances(tags, [0], 10, TIME_BASE, RULES)
    assert (found.frames, found.mean_confidence) == (1, 0.9)


def test_an_episode_of_22_minutes_takes_a_moment() -> None:
    samples = range(0, 2640 * 500, 500)
    rng = random.Random(1)
    tags = [Tag(pts, f"label_{k}", rng.random()) for pts in samples for k in range(17)]
    rules = Rules(0.6, 0.4, Fraction(1), Fraction(1))
    started = thread_time()
    find_appearances(tags, samples, 2640 * 500, Fraction(1, 1000), rules)
    # 0.1 s where measured; a quadratic algorithm would take minutes.
    assert thread_time() - started < 2
