"""Labels followed inside a shot, against tables made by hand: a sample each half second."""

from collections.abc import Mapping, Sequence
from dataclasses import replace
from fractions import Fraction

import pytest
from hypothesis import given
from hypothesis import strategies as st

from exact.place import Place
from timeline.appearances.from_tags import Tag, find_appearances
from timeline.appearances.rules import Rules, ShotRules
from timeline.errors import TimelineError

MILLISECONDS = Fraction(1, 1000)
RULES = Rules(
    onset=0.6,
    offset=0.4,
    min_duration_on_seconds=Fraction(3, 4),
    min_duration_off_seconds=Fraction(3, 4),
    shots=ShotRules(sure=0.95, link_seconds=Fraction(3)),
)

LEFT = Place(0.25, 0.5, 0.2, 0.4)
NEAR_LEFT = Place(0.3, 0.5, 0.2, 0.4)
MIDDLE = Place(0.36, 0.5, 0.2, 0.4)
RIGHT = Place(0.75, 0.5, 0.2, 0.4)

Seen = float | tuple[float, Place] | None


def found(
    confidences: Mapping[str, Sequence[Seen]],
    cuts: Sequence[int] | None = (),
    rules: Rules = RULES,
    missing: Sequence[tuple[int, int]] = (),
) -> dict[str, list[tuple[int, int]]]:
    """Appearances of each label, of a confidence (and where) for each sample from 0 s on."""
    count = max(len(each) for each in confidences.values())
    tags = [
        Tag(500 * i, label, seen[0], seen[1])
        if isinstance(seen, tuple)
        else Tag(500 * i, label, seen)
        for label, each in confidences.items()
        for i, seen in enumerate(each)
        if seen is not None
    ]
    samples = [500 * i for i in range(count)]
    shown: dict[str, list[tuple[int, int]]] = {label: [] for label in confidences}
    for one in find_appearances(tags, samples, 500 * count, MILLISECONDS, rules, missing, cuts):
        shown[one.label].append((one.start_pts, one.end_pts))
    return shown


def of_one(
    seen: Sequence[Seen],
    cuts: Sequence[int] | None = (),
    rules: Rules = RULES,
    missing: Sequence[tuple[int, int]] = (),
) -> list[tuple[int, int]]:
    return found({"a": seen}, cuts, rules, missing)["a"]


HERE, FAINT = (0.9, LEFT), (0.05, LEFT)


@pytest.mark.parametrize("between", [None, FAINT, (0.05, RIGHT)])
def test_who_is_seen_again_at_the_same_place_was_there_meanwhile(between: Seen) -> None:
    assert of_one([HERE, HERE, *[between] * 4, HERE, HERE]) == [(0, 4000)]


def test_who_is_seen_again_elsewhere_was_not_there_meanwhile() -> None:
    there = (0.9, RIGHT)
    assert of_one([HERE, HERE, None, None, there, there]) == [(0, 750), (1750, 3000)]


def test_a_place_is_followed_through_faint_looks() -> None:
    # MIDDLE is not about LEFT, but NEAR_LEFT is about both
    there = (0.9, MIDDLE)
    assert of_one([HERE, HERE, None, None, there, there]) == [(0, 750), (1750, 3000)]
    assert of_one([HERE, HERE, (0.1, NEAR_LEFT), None, there, there]) == [(0, 3000)]


def test_a_gap_of_more_than_three_seconds_is_not_filled() -> None:
    assert of_one([HERE, HERE, *[FAINT] * 6, HERE, HERE]) == [(0, 5000)]
    assert of_one([HERE, HERE, *[FAINT] * 7, HERE, HERE]) == [(0, 750), (4250, 5500)]


def test_somebody_else_at_the_place_ends_an_appearance_unless_the_label_is_seen_there_too() -> None:
    a: list[Seen] = [HERE, HERE, None, None, HERE, HERE]
    other: list[Seen] = [None, None, HERE, HERE, None, None]
    assert found({"a": a, "b": other})["a"] == [(0, 750), (1750, 3000)]
    assert found({"a": a, "b": [(0.5, LEFT)] * 6})["a"] == [(0, 3000)], "b is not on screen"
    assert found({"a": a, "b": [(0.9, RIGHT)] * 6})["a"] == [(0, 3000)], "b is elsewhere"
    assert found({"a": a, "b": [0.9] * 6})["a"] == [(0, 3000)], "nobody knows where b is"
    faintly = [HERE, HERE, FAINT, FAINT, HERE, HERE]
    assert found({"a": faintly, "b": other})["a"] == [(0, 3000)]


def test_a_cut_ends_what_is_followed() -> None:
    seen = [HERE, HERE, FAINT, FAINT, HERE, HERE]
    assert of_one(seen, cuts=[1200]) == [(0, 750), (1750, 3000)]


def test_without_places_nobody_is_followed() -> None:
    assert of_one([0.9, 0.9, 0.1, 0.1, 0.9, 0.9]) == [(0, 750), (1750, 3000)]
    assert of_one([0.9, 0.9, 0.1, 0.9, 0.9]) == [(0, 2500)], "a short gap is filled as ever"


def test_nothing_is_followed_over_what_is_missing() -> None:
    seen = [HERE, HERE, FAINT, FAINT, HERE, HERE]
    assert of_one(seen, missing=[(1100, 1200)]) == [(0, 750), (2000 - 250, 3000)]


def test_an_appearance_is_followed_back_at_its_place_while_it_reaches_the_offset() -> None:
    unsure, elsewhere = (0.5, LEFT), (0.5, RIGHT)
    assert of_one([FAINT, unsure, unsure, HERE, HERE]) == [(250, 2500)]
    assert of_one([FAINT, elsewhere, unsure, HERE, HERE]) == [(750, 2500)]
    assert of_one([0.1, 0.5, 0.5, 0.9, 0.9]) == [(1250, 2500)]
    assert of_one([FAINT, unsure, unsure, HERE, HERE], cuts=[900]) == [(900, 2500)]


def test_a_single_look_of_a_longer_shot_makes_no_appearance_unless_it_is_very_sure() -> None:
    assert of_one([None, None, 0.94, None, None]) == []
    assert of_one([None, None, 0.95, None, None]) == [(750, 1250)]
    assert of_one([None, 0.94, None, None], cuts=[300]) == [], "though it is the first of its shot"


def test_a_shot_with_a_single_look_keeps_its_label() -> None:
    assert of_one([None, None, 0.6, None, None], cuts=[800, 1100]) == [(800, 1100)]
    assert of_one([None, None, 0.59, None, None], cuts=[800, 1100]) == []
    assert of_one([None, None, 0.6, None, None], cuts=None) == []


def test_a_shot_that_a_label_fills_keeps_it_however_short() -> None:
    # two looks 0.1 s apart, as with --every 0.1, in a shot of 0.2 s
    tags = [Tag(200, "a", 0.7), Tag(300, "a", 0.7)]
    samples = [0, 100, 200, 300, 400, 500]
    [one] = find_appearances(tags, samples, 600, MILLISECONDS, RULES, (), [150, 350])
    assert (one.start_pts, one.end_pts, one.frames) == (150, 350, 2)
    assert find_appearances(tags, samples, 600, MILLISECONDS, RULES, (), [150]) == []


def test_two_looks_right_before_a_cut_are_an_appearance() -> None:
    # from the middle to the cut 0.5 s, but counted from sample to sample a second
    assert of_one([None, None, 0.7, 0.7, None], cuts=[1510]) == [(750, 1510)]


def test_after_a_cut_only_the_onset_starts_an_appearance() -> None:
    assert of_one([0.9, 0.9, 0.5, 0.5], cuts=[900]) == [(0, 900)]
    assert of_one([0.9, 0.9, 0.5, 0.5]) == [(0, 2000)]


def test_who_stays_across_a_cut_appears_once() -> None:
    assert of_one([0.9, 0.9, 0.9, 0.9], cuts=[900]) == [(0, 2000)]


def test_between_two_cuts_that_nobody_looked_at_the_usual_rule_fills_the_gap() -> None:
    seen = [0.9, 0.9, 0.9, 0.9]
    assert of_one(seen, cuts=[600, 900]) == [(0, 2000)]
    impatient = replace(RULES, min_duration_off_seconds=Fraction(1, 5))
    assert of_one(seen, cuts=[600, 900], rules=impatient) == [(0, 600), (900, 2000)]


def test_a_short_gap_at_the_end_of_a_shot_is_filled_but_not_a_whole_shot() -> None:
    seen = [0.9, 0.9, None, 0.9, 0.9]
    assert of_one(seen, cuts=[1200]) == [(0, 2500)]
    # the look at 1 s is all that is known of a shot without the label
    assert of_one(seen, cuts=[800, 1200]) == [(0, 800), (1200, 2500)]


def test_runs_without_rules_for_shots_are_as_before_whatever_the_cuts() -> None:
    before = replace(RULES, shots=None)
    seen = [HERE, HERE, FAINT, FAINT, HERE, HERE, None, None, (0.99, LEFT), None]
    assert of_one(seen, cuts=[300, 1200], rules=before) == [(0, 1000), (2000, 3000)]


def test_rules_for_shots_that_cannot_be_are_refused() -> None:
    with pytest.raises(TimelineError, match="sure is 0"):
        ShotRules(0, Fraction(1))
    with pytest.raises(TimelineError, match="link_seconds is -1"):
        ShotRules(0.9, Fraction(-1))


sights = st.lists(
    st.one_of(
        st.none(),
        st.tuples(
            st.sampled_from([0.05, 0.5, 0.7, 0.95]),
            st.sampled_from([LEFT, NEAR_LEFT, MIDDLE, RIGHT]),
        ),
    ),
    min_size=1,
    max_size=16,
)
cuts_of_shots = st.sets(st.integers(0, 8000), max_size=6).map(sorted)


@given(sights, cuts_of_shots)
def test_mirrored_time_gives_mirrored_links(seen: list[Seen], cuts: list[int]) -> None:
    # What fills a gap may not depend on which side of it came first: with one threshold and no
    # faint looks between, that is all there is. A tick of rounding at each middle aside.
    one = replace(RULES, onset=0.6, offset=0.6)
    firm = [each if isinstance(each, tuple) and each[0] > 0.6 else None for each in seen]
    count = len(firm)
    end = 500 * (count - 1)
    ahead = of_one(firm, [cut for cut in cuts if cut <= end], one)
    back = of_one(firm[::-1], sorted(end - cut + 1 for cut in cuts if 0 < cut <= end), one)
    mirrored = sorted((max(end - stop, 0), min(end - start, end)) for start, stop in back)
    ahead = [(start, min(stop, end)) for start, stop in ahead]
    assert len(ahead) == len(mirrored)
    for one_way, other_way in zip(ahead, mirrored, strict=True):
        assert one_way == pytest.approx(other_way, abs=1)


@given(sights, sights, cuts_of_shots, st.data())
def test_the_order_of_tags_changes_nothing_with_places_either(
    a: list[Seen], b: list[Seen], cuts: list[int], data: st.DataObject
) -> None:
    tags = [
        Tag(500 * i, label, *seen)
        for label, each in (("a", a), ("b", b))
        for i, seen in enumerate(each)
        if isinstance(seen, tuple)
    ]
    shuffled = data.draw(st.permutations(tags))
    samples = [500 * i for i in range(max(len(a), len(b)))]
    arguments = (samples, 500 * len(samples), MILLISECONDS, RULES, (), cuts)
    assert find_appearances(shuffled, *arguments) == find_appearances(tags, *arguments)
