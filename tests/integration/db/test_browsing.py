"""Pages of episodes, on both databases: each order goes through all of them once."""

from dataclasses import replace

import pytest

from db.changes.writes import register_episode
from db.engine import Database
from db.episode_names import EpisodeName
from db.library.browsing import (
    EpisodeFilter,
    EpisodeOrder,
    browse_episodes,
    count_episodes,
    known_series,
)
from tests.rows.records import made_episode, make_run

pytestmark = pytest.mark.integration

CALLED = (
    EpisodeName("The Town", 2, 1, "Late"),
    EpisodeName("The Town", 1, 10, None),
    EpisodeName("The Town", 1, 2, "Early"),
    EpisodeName("The Town", None, None, None),
    EpisodeName("älter", 1, 1, None),
    EpisodeName(None, None, None, None),
    EpisodeName(None, 3, 4, "50% off_"),
)


@pytest.fixture
def episodes(database: Database) -> Database:
    """Episodes of known and unknown series, two of them with one file name."""
    with database.write() as connection:
        for number, called in enumerate(CALLED):
            name = "twin.mkv" if number < 2 else f"{number}.mkv"
            record = made_episode(f"{number:064}", name)
            end_pts = 60_000 * (1 + number % 3)
            register_episode(connection, replace(record, called=called, end_pts=end_pts))
    return database


@pytest.mark.parametrize("order", EpisodeOrder)
@pytest.mark.parametrize("limit", [1, 2, 3, 100])
def test_slices_hold_each_episode_once_in_one_order(
    episodes: Database, order: EpisodeOrder, limit: int
) -> None:
    with episodes.read() as connection:
        found, after = [], None
        while True:
            part = browse_episodes(connection, EpisodeFilter(), order, after, limit)
            found += [item.id for item in part.episodes]
            after = part.last
            if after is None:
                break
        whole = browse_episodes(connection, EpisodeFilter(), order, None, 100)
    assert sorted(found) == list(range(1, len(CALLED) + 1))
    assert found == [item.id for item in whole.episodes]


def test_order_is_by_series_season_and_number_and_the_unknown_come_last(
    episodes: Database,
) -> None:
    with episodes.read() as connection:
        part = browse_episodes(connection, EpisodeFilter(), EpisodeOrder.CALLED, None, 100)
        town = [item.id for item in part.episodes if item.called.series == "The Town"]
        assert town == [4, 3, 2, 1]
        assert [item.id for item in part.episodes][-2:] == [6, 7]
        assert set(known_series(connection)) == {
            ("The Town", None),
            ("The Town", 1),
            ("The Town", 2),
            ("älter", 1),
        }


@pytest.mark.parametrize(
    ("wanted", "expected"),
    [
        (EpisodeFilter("town"), {1, 2, 3, 4}),
        (EpisodeFilter("EARLY"), {3}),
        (EpisodeFilter("50% off_"), {7}),
        (EpisodeFilter("50%_off"), set()),
        (EpisodeFilter("twin"), {1, 2}),
        (EpisodeFilter(series="The Town", season=1), {2, 3}),
        (EpisodeFilter(season=1), {2, 3, 5}),
    ],
)
def test_filter_keeps_what_fits(
    episodes: Database, wanted: EpisodeFilter, expected: set[int]
) -> None:
    with episodes.read() as connection:
        part = browse_episodes(connection, wanted, EpisodeOrder.NAME, None, 100)
        assert {item.id for item in part.episodes} == expected
        assert count_episodes(connection, wanted) == len(expected)


def test_state_is_that_of_the_latest_run(database: Database) -> None:
    make_run(database)
    with database.read() as connection:
        for state, number in (("queued", 1), ("done", 0)):
            wanted = EpisodeFilter(state=state)  # type: ignore[arg-type] # a word of the enumeration
            assert count_episodes(connection, wanted) == number
