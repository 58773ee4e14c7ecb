"""What recurs in the episodes of a series, found in made-up descriptions of their samples."""

from collections.abc import Sequence

import numpy as np
import numpy.typing as npt
import pytest

from timeline.repeats.matching import SHORTEST, Samples, shared_stretches
from timeline.repeats.recurring import NEIGHBOURS, Recurring, SeriesSearch

WIDTH = 60
Shots = npt.NDArray[np.float32]


def story(seed: int, seconds: float, held: bool = False) -> Shots:
    """Shots of a second or two, with a little motion; or one picture held."""
    lot = np.random.default_rng(seed)
    count = int(2 * seconds)
    pictures = lot.normal(size=(count, WIDTH))
    shots = np.zeros(count, int) if held else np.arange(count) // 3
    moved = pictures[shots] + 0.1 * lot.normal(size=(count, WIDTH))
    return np.asarray(moved, np.float32)


def between(shots: Shots) -> Shots:
    """The same, sampled half a sample later: a mixture of each two samples."""
    return ((shots + np.roll(shots, -1, 0)) / 2).astype(np.float32)


def black(seconds: float) -> Shots:
    return np.zeros((int(2 * seconds), WIDTH), np.float32)


def samples(*parts: Shots, unknown: slice | None = None) -> Samples:
    vectors = np.concatenate(parts)
    lengths = np.linalg.norm(vectors, axis=1, keepdims=True)
    vectors = np.divide(vectors, lengths, out=np.zeros_like(vectors), where=lengths > 0)
    is_known = np.ones(len(vectors), np.bool_)
    if unknown is not None:
        is_known[unknown], vectors[unknown] = False, 0
    return Samples(vectors, is_known)


def shared(one: Samples, other: Samples) -> list[tuple[tuple[int, int], tuple[int, int]]]:
    return sorted((each.one, each.other) for each in shared_stretches(one, other))


def searched(*episodes: Samples) -> tuple[dict[int, list[tuple[int, int]]], SeriesSearch[int]]:
    search: SeriesSearch[int] = SeriesSearch()
    for number, episode in enumerate(episodes):
        search.add(number, episode)
    found = {key: [each.samples for each in ranges] for key, ranges in search.found().items()}
    return found, search


OPENING, CREDITS = story(100, 20), story(101, 15)


def episode(seed: int, before: float = 0, after: float = 40) -> Samples:
    """A cold open, the opening, a story, the credits, a second of black."""
    own = story(seed, before), story(seed + 50, after)
    return samples(own[0], OPENING, own[1], CREDITS, black(1))


def test_a_stretch_at_two_places_is_found_to_the_sample() -> None:
    one = samples(story(1, 8), OPENING, story(2, 30))
    other = samples(story(3, 21), OPENING, story(4, 12))
    assert shared(one, other) == [((16, 56), (42, 82))]
    assert shared(other, one) == [((42, 82), (16, 56))]


def test_half_a_sample_apart_costs_at_most_a_sample_at_each_border() -> None:
    one = samples(story(1, 8), OPENING, story(2, 30))
    other = samples(story(3, 21), between(OPENING), story(4, 12))
    [((start, end), (other_start, other_end))] = shared(one, other)
    assert abs(start - 16) <= 1
    assert abs(end - 56) <= 1
    assert abs(other_start - 42) <= 1
    assert abs(other_end - 82) <= 1


@pytest.mark.parametrize(("seconds", "count"), [(6, 0), (8, 0), (10, 1), (12, 1)])
def test_shorter_than_ten_seconds_is_nothing(seconds: float, count: int) -> None:
    stock = story(5, seconds)
    one = samples(story(1, 20), stock, story(2, 20))
    other = samples(story(3, 5), stock, story(4, 30))
    assert len(shared(one, other)) == count


@pytest.mark.parametrize(("gag_seconds", "pieces"), [(5, 1), (12, 2)])
def test_a_gag_that_changes_is_bridged_unless_it_is_long(gag_seconds: int, pieces: int) -> None:
    first, last = story(6, 15), story(7, 15)
    one = samples(first, story(8, gag_seconds), last)
    other = samples(story(1, 9), first, story(9, gag_seconds), last)
    assert len(shared(one, other)) == pieces


def test_a_gag_of_another_length_leaves_the_parts_around_it() -> None:
    first, last = story(6, 15), story(7, 15)
    one = samples(first, story(8, 4), last)
    other = samples(first, story(9, 7), last)
    assert shared(one, other) == [((0, 30), (0, 30)), ((38, 68), (44, 74))]


def test_black_matches_nothing() -> None:
    one = samples(story(1, 20), black(30), story(2, 20))
    other = samples(story(3, 10), black(30), story(4, 20))
    assert shared(one, other) == []


def test_black_inside_an_opening_is_no_miss() -> None:
    with_fades = np.concatenate([OPENING[:15], black(8), OPENING[15:]])
    one = samples(story(1, 8), with_fades, story(2, 30))
    other = samples(story(3, 21), with_fades, story(4, 12))
    assert shared(one, other) == [((16, 72), (42, 98))]


def test_frames_that_are_not_stored_are_no_miss() -> None:
    one = samples(story(1, 8), OPENING, story(2, 30), unknown=slice(26, 40))
    other = samples(story(3, 21), OPENING, story(4, 12))
    assert shared(one, other) == [((16, 56), (42, 82))]


def test_one_background_held_in_two_episodes_is_no_repeat_unless_it_is_held_long() -> None:
    scene, card = story(10, 14, held=True), story(11, 25, held=True)
    one = samples(story(1, 8), scene, story(2, 30), card)
    other = samples(story(3, 21), scene, story(4, 12), card)
    [((start, end), _)] = shared(one, other)
    assert (start, end) == (104, 154)


def test_too_short_an_episode_shares_nothing() -> None:
    assert shared(samples(OPENING[: SHORTEST - 1]), samples(OPENING)) == []
    assert shared(samples(black(0)), samples(OPENING)) == []


def test_openings_and_credits_are_found_wherever_they_are() -> None:
    found, search = searched(episode(1), episode(2, 12), episode(3, 31.5), episode(4, 5))
    assert found == {
        0: [(0, 40), (120, 150)],
        1: [(24, 64), (144, 174)],
        2: [(63, 103), (183, 213)],
        3: [(10, 50), (130, 160)],
    }
    assert search.copies == []
    assert search.compared == dict.fromkeys(range(4), 3)


def test_a_scene_that_one_recap_shows_again_stays() -> None:
    scene = story(20, 15)
    told = samples(OPENING, story(1, 20), scene, story(2, 20))
    retold = samples(scene, OPENING, story(3, 40))
    found, _ = searched(told, retold, samples(OPENING, story(4, 50)))
    assert found == {0: [(0, 40)], 1: [(30, 70)], 2: [(0, 40)]}


def test_two_recaps_of_one_scene_make_it_recur() -> None:
    """That is the rule, and documented: nothing tells it from an opening."""
    scene = story(20, 15)
    told = samples(story(1, 20), scene, story(2, 20))
    found, _ = searched(told, samples(scene, story(3, 40)), samples(scene, story(4, 50)))
    assert found[0] == [(40, 70)]


def test_in_a_series_of_two_one_other_episode_suffices() -> None:
    found, _ = searched(episode(1), episode(2, 12))
    assert found == {0: [(0, 40), (120, 150)], 1: [(24, 64), (144, 174)]}


def test_an_episode_alone_has_nothing() -> None:
    found, search = searched(episode(1))
    assert found == {0: []}
    assert search.compared == {0: 0}


def test_copies_of_an_episode_are_told_and_are_not_all_opening() -> None:
    one = episode(1, 7)
    again = samples(between(one.vectors))
    found, search = searched(one, again)
    assert search.copies == [(0, 1)]
    assert found == {0: [], 1: []}


def test_a_copy_counts_once_among_the_others() -> None:
    scene = story(20, 15)
    one = samples(OPENING, story(1, 20), scene, story(2, 20))
    found, search = searched(
        one, one, samples(scene, OPENING, story(3, 40)), samples(OPENING, story(4, 50))
    )
    assert search.copies == [(0, 1)]
    assert found[2] == [(30, 70)]
    assert found[0] == [(0, 40)]


def test_each_episode_is_compared_with_a_few_neighbours() -> None:
    count = 2 * NEIGHBOURS + 3
    _, search = searched(*(episode(number) for number in range(count)))
    assert search.compared[0] == NEIGHBOURS
    assert search.compared[count // 2] == 2 * NEIGHBOURS


def test_an_opening_that_changes_with_the_season_is_found_on_both_sides() -> None:
    other = story(200, 25)
    first = [samples(OPENING, story(number, 30)) for number in range(3)]
    second = [samples(story(10 + number, 30), other) for number in range(3)]
    found, _ = searched(*first, *second)
    assert [found[number] for number in range(3)] == [[(0, 40)]] * 3
    assert [found[number] for number in range(3, 6)] == [[(60, 110)]] * 3


def test_each_range_names_where_else_it_is() -> None:
    search: SeriesSearch[str] = SeriesSearch()
    for name, each in zip("abcd", episodes_of_two_openings(), strict=True):
        search.add(name, each)
    found = search.found()
    assert found["a"] == [Recurring((0, 40), ("b", "c"))]
    assert found["d"] == []


def episodes_of_two_openings() -> Sequence[Samples]:
    with_opening = [samples(OPENING, story(number, 30)) for number in (1, 2, 3)]
    return [*with_opening, samples(story(4, 50))]
