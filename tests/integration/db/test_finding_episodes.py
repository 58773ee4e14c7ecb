"""Which episode a user means, on both databases."""

from dataclasses import replace

import pytest

from db.changes.episodes import move_episode, note_stamp
from db.changes.writes import register_episode
from db.engine import Database
from db.library.episodes import distinct_names, find_episodes, get_episode
from db.records import EpisodeRecord
from tests.rows.records import made_episode

pytestmark = pytest.mark.integration

PATHS = {
    "/lib/A/S01E01.mp4": 1,
    "/lib/B/S01E01.mp4": 2,
    "/lib/B/S01E02.mp4": 3,
    "/lib/The Town/Season 5/The Town - S05E12 - Bart Gets Famous.mkv": 4,
    "/lib/pilot.mkv": 5,
    "/lib/pilot.mkv.part2.mkv": 6,
    "/other/7.mp4": 7,
    "/lib/100%_real.mkv": 8,
}
"""The numbers that the episodes get, in this order."""

FOUND = {
    "S01E01.mp4": [1, 2],
    "S01E01": [1, 2],
    "s01e01": [1, 2],
    "A/S01E01.mp4": [1],
    "b/s01e01": [2],
    "/lib/B/S01E01.mp4": [2],
    "A S01E01": [1],
    "b 1x1": [2],
    "B S01E02": [3],
    "S01E02": [3],
    "town s05e12": [4],
    "The Town 5x12": [4],
    "S05E12": [4],
    "bart gets": [4],
    "pilot.mkv": [5],
    "pilot": [5],
    "part2": [6],
    "7": [7],
    "3": [3],
    "100%": [8],
    "lib/": [1, 2, 3, 4, 5, 6, 8],
    f"{3:064d}"[:63]: [1, 2, 3, 4, 5, 6, 7, 8],
    "B S09E09": [],
    "99": [],
    "99999999999999999999": [],
    "": [1, 2, 3, 4, 5, 6, 7, 8],
}


def episode_at(path: str, number: int) -> EpisodeRecord:
    made = made_episode(f"{number:064d}", path.rpartition("/")[2])
    return EpisodeRecord.of(made, uri=path, area=made.area)


@pytest.fixture
def filled(database: Database) -> Database:
    with database.write() as connection:
        ids = [register_episode(connection, episode_at(*item)) for item in PATHS.items()]
    assert ids == [*PATHS.values()]
    return database


def test_what_fits_best_is_found(filled: Database) -> None:
    with filled.read() as connection:
        found = {
            asked: sorted(item.id for item in find_episodes(connection, asked)) for asked in FOUND
        }
    assert found == FOUND


def test_a_former_name_is_understood_unless_another_episode_has_it_now(filled: Database) -> None:
    with filled.write() as connection:
        move_episode(connection, get_episode(connection, 5), "/lib/C/S02E01.mkv", "S02E01.mkv", "")
    with filled.read() as connection:
        for asked in ("pilot.mkv", "pilot", "/lib/pilot.mkv", "lib/pilot", "C S02E01"):
            assert [item.id for item in find_episodes(connection, asked)] == [5], asked
    with filled.write() as connection:
        new = register_episode(connection, episode_at("/lib/D/pilot.mkv", 9))
    with filled.read() as connection:
        assert [item.id for item in find_episodes(connection, "pilot.mkv")] == [new]


def test_a_move_back_and_forth_keeps_each_name_once(filled: Database) -> None:
    with filled.write() as connection:
        for _ in range(2):
            for path in ("/lib/x.mkv", "/lib/pilot.mkv"):
                known = get_episode(connection, 5)
                move_episode(connection, known, path, path.rpartition("/")[2], "")
    with filled.read() as connection:
        assert [item.id for item in find_episodes(connection, "x.mkv")] == [5]
        assert get_episode(connection, 5).name == "pilot.mkv"


def test_a_worker_that_ends_after_a_move_does_not_undo_it(filled: Database) -> None:
    with filled.write() as connection:
        known = get_episode(connection, 5)
        move_episode(connection, known, "/lib/new.mkv", "new.mkv", "1")
        note_stamp(connection, known, "2")
    with filled.read() as connection:
        now = get_episode(connection, 5)
    assert (now.uri, now.name, now.file_stamp) == ("/lib/new.mkv", "new.mkv", "1")


def test_names_tell_twins_apart_even_at_one_place(filled: Database) -> None:
    with filled.write() as connection:
        deep = register_episode(connection, episode_at("/old/B/S01E01.mp4", 10))
        replaced = register_episode(connection, episode_at("/old/B/S01E01.mp4", 11))
    with filled.read() as connection:
        assert distinct_names(connection) == {
            1: "A/S01E01.mp4",
            2: "lib/B/S01E01.mp4",
            deep: f"/old/B/S01E01.mp4 ({deep})",
            replaced: f"/old/B/S01E01.mp4 ({replaced})",
        }
        assert distinct_names(connection, {"pilot.mkv"}) == {}


def test_what_a_path_told_follows_a_move_and_what_was_set_stays(filled: Database) -> None:
    with filled.write() as connection:
        known = get_episode(connection, 2)
        set_by_hand = replace(known, called=replace(known.called, series="Town"))
        move_episode(connection, set_by_hand, "/lib/C/S03E04.mp4", "S03E04.mp4", "")
    with filled.read() as connection:
        assert get_episode(connection, 2).called.text == "Town S03E04"
