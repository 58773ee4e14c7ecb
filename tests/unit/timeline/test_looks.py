"""What a sampled frame speaks for, against tables made by hand and a second meaning."""

from collections.abc import Sequence
from fractions import Fraction

import pytest
from hypothesis import given
from hypothesis import strategies as st

from timeline.appearances.from_tags import Tag, find_appearances
from timeline.appearances.looks import looks_at
from timeline.appearances.rules import Rules, ShotRules
from timeline.errors import TimelineError

SAMPLES = [0, 10, 20, 30]
END = 40
BY_CUTS = Rules(0.6, 0.4, shots=ShotRules(sure=1.0, link_seconds=Fraction(0)))


def spoken_for(
    cuts: Sequence[int] | None, missing: Sequence[tuple[int, int]] = ()
) -> list[tuple[int, int]]:
    return [(look.start_pts, look.end_pts) for look in looks_at(SAMPLES, END, missing, cuts)]


@pytest.mark.parametrize(
    ("cuts", "ranges"),
    [
        (None, [(0, 10), (10, 20), (20, 30), (30, 40)]),  # as before there were cuts
        ([], [(0, 5), (5, 15), (15, 25), (25, 40)]),
        ([13], [(0, 5), (5, 13), (13, 25), (25, 40)]),
        ([20], [(0, 5), (5, 20), (20, 25), (25, 40)]),  # the sample is the first of its shot
        ([10, 20], [(0, 10), (10, 20), (20, 25), (25, 40)]),
        ([12, 18], [(0, 5), (5, 12), (18, 25), (25, 40)]),  # nobody looked at 12 to 18
        ([12, 15, 20], [(0, 5), (5, 12), (20, 25), (25, 40)]),
        ([33], [(0, 5), (5, 15), (15, 25), (25, 33)]),  # nor at what comes after 33
        ([0], [(0, 5), (5, 15), (15, 25), (25, 40)]),
    ],
)
def test_a_sample_speaks_for_its_shot(
    cuts: list[int] | None, ranges: list[tuple[int, int]]
) -> None:
    assert spoken_for(cuts) == ranges


@pytest.mark.parametrize(
    ("cuts", "missing", "ranges"),
    [
        ([], (14, 17), [(0, 5), (5, 14), (20, 25), (25, 40)]),  # after it from its own time
        ([12], (14, 17), [(0, 5), (5, 12), (20, 25), (25, 40)]),
        ([18], (14, 17), [(0, 5), (5, 14), (20, 25), (25, 40)]),
        ([], (9, 11), [(0, 9), (20, 25), (25, 40)]),  # the sample at 10 lies in it
        ([], (10, 20), [(0, 10), (20, 25), (25, 40)]),
        (None, (14, 17), [(0, 10), (10, 14), (20, 30), (30, 40)]),
    ],
)
def test_no_sample_speaks_beyond_what_is_missing(
    cuts: list[int] | None, missing: tuple[int, int], ranges: list[tuple[int, int]]
) -> None:
    assert spoken_for(cuts, [missing]) == ranges


def test_samples_of_successive_ticks_speak_for_themselves() -> None:
    looks = looks_at([0, 1, 2], 3, [], [])
    assert [(look.start_pts, look.end_pts) for look in looks] == [(0, 1), (1, 2), (2, 3)]


def test_cuts_out_of_order_are_refused() -> None:
    with pytest.raises(TimelineError, match="later than the one before"):
        spoken_for([5, 5])


def speaker(
    pts: int, samples: Sequence[int], missing: Sequence[tuple[int, int]], cuts: Sequence[int]
) -> int | None:
    """The meaning, written down a second time: of the samples on both sides, the one of the same
    shot, the nearest where both are, the later where both are as near."""
    before = max((sample for sample in samples if sample <= pts), default=None)
    after = min((sample for sample in samples if sample > pts), default=None)

    def is_whole(start: int, end: int) -> bool:
        return not any(
            low <= tick < high for low, high in missing for tick in range(start, end + 1)
        )

    if before is None or not is_whole(before, pts):
        return None
    candidates = [before]
    if after is not None and is_whole(before, after):
        candidates.append(after)
    near = [s for s in candidates if not any(min(s, pts) < cut <= max(s, pts) for cut in cuts)]
    return min(near, key=lambda sample: (abs(sample - pts), -sample), default=None)


samples_of_episodes = st.sets(st.integers(0, 60), min_size=1, max_size=10).map(sorted)
cuts_of_episodes = st.sets(st.integers(0, 70), max_size=8).map(sorted)
ranges_missing = st.lists(
    st.tuples(st.integers(-5, 70), st.integers(1, 15)).map(lambda r: (r[0], r[0] + r[1])),
    max_size=2,
)


@given(samples_of_episodes, cuts_of_episodes, ranges_missing)
def test_each_tick_is_spoken_for_by_the_nearest_sample_of_its_shot(
    samples: list[int], cuts: list[int], missing: list[tuple[int, int]]
) -> None:
    looks = looks_at(samples, 70, missing, cuts)

    found = {pts: look.pts for look in looks for pts in range(look.start_pts, look.end_pts)}

    assert found == {
        pts: who for pts in range(70) if (who := speaker(pts, samples, missing, cuts)) is not None
    }
    assert all(look.start_pts <= look.pts < look.end_pts for look in looks)


@given(
    samples_of_episodes,
    cuts_of_episodes,
    ranges_missing,
    st.lists(st.sampled_from([0.0, 0.5, 0.9]), min_size=10, max_size=10),
)
def test_a_label_is_on_screen_where_an_active_sample_of_the_shot_speaks(
    samples: list[int],
    cuts: list[int],
    missing: list[tuple[int, int]],
    confidences: list[float],
) -> None:
    confidence = dict(zip(samples, confidences, strict=False))
    active: set[int] = set()
    last: int | None = None
    for sample in samples:
        # the onset starts anew after a cut and after what is missing
        goes_on = last is not None and (
            last in active
            and not any(last < cut <= sample for cut in cuts)
            and not any(low <= sample and high > last for low, high in missing)
        )
        if confidence[sample] >= (0.4 if goes_on else 0.6):
            active.add(sample)
        last = sample
    tags = [Tag(pts, "a", value) for pts, value in confidence.items() if value]

    found = find_appearances(tags, samples, 70, Fraction(1, 100), BY_CUTS, missing, cuts)

    shown = [pts for one in found for pts in range(one.start_pts, one.end_pts)]
    assert shown == [pts for pts in range(70) if speaker(pts, samples, missing, cuts) in active]
