"""The shots of a made episode: no gap, everybody's turn, and a truth that changes at borders."""

from collections import Counter
from fractions import Fraction
from itertools import pairwise

import pytest
from hypothesis import given
from hypothesis import strategies as st

from timeline.appearances.shots import Shot, plan_shots, true_ranges
from timeline.scoring.truth import LabelledRange

LABELS = ("ann", "bob", "cid", "dot")
FILM = Fraction(24000, 1001)


@given(
    frames=st.integers(1, 3000),
    seed=st.integers(0, 2**32),
    labels=st.integers(1, 4),
    with_nobody=st.booleans(),
)
def test_shots_tile_the_episode_and_show_whom_they_may(
    frames: int, seed: int, labels: int, with_nobody: bool
) -> None:
    cast = LABELS[:labels]
    shots = plan_shots(cast, frames, seed, with_nobody=with_nobody)
    assert (shots[0].start_frame, shots[-1].end_frame) == (0, frames)
    assert all(one.end_frame == next_one.start_frame for one, next_one in pairwise(shots))
    assert [shot.number for shot in shots] == list(range(len(shots)))
    for shot in shots:
        assert set(shot.labels) <= set(cast)
        assert len(set(shot.labels)) == len(shot.labels) <= min(2, labels)
        assert with_nobody or shot.labels
        assert shot.end_frame - shot.start_frame >= 36 or len(shots) == 1


@given(frames=st.integers(1, 3000), seed=st.integers(0, 2**32))
def test_no_two_dissolves_overlap_nor_reach_beyond_the_episode(frames: int, seed: int) -> None:
    shots = plan_shots(LABELS, frames, seed, with_nobody=True)
    assert shots[0].first_shown == shots[0].first_alone == 0
    for shot, after in pairwise(shots):
        assert shot.first_shown <= shot.start_frame <= shot.first_alone <= after.first_shown
    assert shots[-1].first_alone <= frames


def test_a_long_episode_has_every_kind_of_shot_in_its_share_and_both_ways_to_begin_one() -> None:
    shots = plan_shots(LABELS, 60_000, seed=1, with_nobody=True)
    kinds = Counter(len(shot.labels) for shot in shots)
    tens = len(shots) // 10
    assert 5 * tens <= kinds[1] <= 5 * tens + 5
    assert 3 * tens <= kinds[2] <= 3 * tens + 3
    assert 2 * tens <= kinds[0] <= 2 * tens + 2
    dissolves = sum(shot.dissolve_frames > 0 for shot in shots)
    assert 0.2 < dissolves / len(shots) < 0.3
    seen = Counter(label for shot in shots for label in shot.labels)
    assert set(seen) == set(LABELS)
    assert min(seen.values()) > 0.95 * max(seen.values())


@pytest.mark.parametrize(("share", "groups"), [(0.25, 25), (0.5, 50), (0.13, 13), (1, 100)])
@pytest.mark.parametrize("seed", range(3))
def test_groups_have_their_share_of_any_hundred_shots_and_all_sizes(
    share: float, groups: int, seed: int
) -> None:
    cast = [f"label {number}" for number in range(9)]
    shots = plan_shots(cast, 12_000, seed, with_nobody=True, groups=share)[:100]
    sizes = Counter(len(shot.labels) for shot in shots)
    assert abs(sum(sizes[size] for size in (3, 4, 5, 6)) - groups) <= 1
    assert {size for size in sizes if size > 2} == {3, 4, 5, 6}
    assert all(len(set(shot.labels)) == len(shot.labels) for shot in shots)
    if share < 1:
        assert sizes[1] > sizes[2] > sizes[0] > 0


def test_a_group_has_no_more_than_there_are_and_two_make_none() -> None:
    shots = plan_shots(LABELS, 3000, 1, with_nobody=False, groups=1)
    assert {len(shot.labels) for shot in shots} == {3, 4}
    with pytest.raises(ValueError, match="no group of 3"):
        plan_shots(LABELS[:2], 3000, 1, with_nobody=False, groups=0.1)


def test_another_seed_gives_other_shots_and_the_same_seed_the_same() -> None:
    first, again, other = (plan_shots(LABELS, 500, seed, with_nobody=True) for seed in (3, 3, 4))
    assert first == again != other


def test_truth_is_a_range_per_label_and_an_empty_one_for_nobody() -> None:
    shots = [Shot(0, ("ann", "bob"), 0, 24), Shot(1, (), 24, 72, 12), Shot(2, ("cid",), 72, 96)]
    second = Fraction(1001, 1000)
    assert true_ranges(shots, FILM) == [
        LabelledRange("ann", Fraction(0), second),
        LabelledRange("bob", Fraction(0), second),
        LabelledRange("", second, 3 * second),
        LabelledRange("cid", 3 * second, 4 * second),
    ]


def test_half_a_dissolve_lies_before_the_border_and_half_after() -> None:
    shot = Shot(1, ("ann",), 100, 200, 12)
    assert (shot.first_shown, shot.first_alone) == (94, 106)
    cut = Shot(1, ("ann",), 100, 200)
    assert cut.first_shown == cut.first_alone == 100


@pytest.mark.parametrize(("start", "end", "dissolve"), [(5, 5, 0), (-1, 5, 0), (5, 9, 3)])
def test_a_shot_that_cannot_be_is_refused(start: int, end: int, dissolve: int) -> None:
    with pytest.raises(ValueError, match=r"not a shot|no middle"):
        Shot(0, (), start, end, dissolve)
