"""Repeats in the database, and answers without them, on both databases."""

from collections.abc import Sequence
from concurrent.futures import ThreadPoolExecutor
from fractions import Fraction
from itertools import combinations

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from sqlalchemy import text

from db.changes.removing import remove_episode
from db.changes.repeats import replace_repeats
from db.engine import Database
from db.library.current import RunSelection
from db.library.repeats import RepeatRecord, repeat_ranges, repeat_searches
from db.library.run_totals import label_totals, pair_totals
from db.questions.appearances import (
    find_appearances,
    first_appearances,
    screen_time,
    shared_time,
)
from db.questions.repeats import never_searched
from db.records import AppearanceRecord
from db.upgrade import upgrade_database
from exact.ranges import PtsRange, difference
from tests.rows.records import end_run, episode_named, make_run
from tests.servers.databases import downgrade_database

pytestmark = pytest.mark.integration

WITHOUT = RunSelection(skip_repeats=True)


def appearance(label: str, start: int, end: int) -> AppearanceRecord:
    return AppearanceRecord(label, start, end, start / 1000, end / 1000, 7, 0.8, 0.9)


def tagged(database: Database, name: str, appearances: Sequence[AppearanceRecord] = ()) -> int:
    """An episode of six minutes with these appearances; returns its number."""
    run_id = make_run(database, episode_named(name))
    end_run(database, run_id, appearances)
    with database.read() as connection:
        query = text("SELECT id FROM episode WHERE name = :name")
        return int(connection.execute(query, {"name": name}).scalar_one())


def found(
    database: Database, number: int, *ranges: PtsRange, elsewhere: Sequence[int] = ()
) -> None:
    records = [RepeatRecord(start, end, tuple(elsewhere)) for start, end in ranges]
    with database.write() as connection:
        assert replace_repeats(connection, number, records, compared=2)


def shown(database: Database, selection: RunSelection = WITHOUT) -> list[tuple[str, int, int]]:
    with database.read() as connection:
        return [
            (each.appearance.label, each.appearance.start_pts, each.appearance.end_pts)
            for each in find_appearances(connection, selection=selection)
        ]


def test_appearances_are_cut_by_repeats(database: Database) -> None:
    number = tagged(
        database,
        "a.mkv",
        [
            appearance("homer_simpson", 0, 5_000),  # inside
            appearance("homer_simpson", 8_000, 30_000),  # begins inside, and is cut in two
            appearance("ned_flanders", 20_000, 25_000),  # exactly one
            appearance("ned_flanders", 10_000, 20_000),  # between
        ],
    )
    found(database, number, (0, 10_000), (20_000, 25_000), (350_000, 360_000))
    assert shown(database) == [
        ("homer_simpson", 10_000, 20_000),
        ("ned_flanders", 10_000, 20_000),
        ("homer_simpson", 25_000, 30_000),
    ]
    assert len(shown(database, RunSelection())) == 4
    with database.read() as connection:
        seconds = [
            (each.appearance.start_seconds, each.appearance.end_seconds)
            for each in find_appearances(connection, selection=WITHOUT)
        ]
    assert seconds == [(10.0, 20.0), (10.0, 20.0), (25.0, 30.0)]


def test_totals_first_appearances_and_pairs_are_those_of_the_pieces(database: Database) -> None:
    homer, ned = appearance("homer_simpson", 0, 30_000), appearance("ned_flanders", 5_000, 40_000)
    number = tagged(database, "a.mkv", [homer, ned])
    tagged(database, "b.mkv", [homer])
    found(database, number, (0, 10_000), (20_000, 25_000))
    with database.read() as connection:
        totals = screen_time(connection, selection=WITHOUT)
        [pair] = shared_time(connection, selection=WITHOUT)
        [same] = shared_time(connection, ("ned_flanders", "homer_simpson"), selection=WITHOUT)
        firsts = first_appearances(connection, "homer_simpson", places=True, selection=WITHOUT)
    assert [(one.label, one.seconds, one.appearances, one.episodes) for one in totals] == [
        ("homer_simpson", 45.0, 3, 2),
        ("ned_flanders", 25.0, 2, 1),
    ]
    assert (pair.label, pair.other, pair.seconds, pair.times) == (
        *("homer_simpson", "ned_flanders"),
        *(15.0, 2),
    )
    assert same == pair
    assert [(one.episode, one.appearance.start_pts) for one in firsts] == [
        ("a.mkv", 10_000),
        ("b.mkv", 0),
    ]


def test_a_label_that_is_only_in_repeats_is_nowhere(database: Database) -> None:
    number = tagged(database, "a.mkv", [appearance("homer_simpson", 1_000, 5_000)])
    found(database, number, (0, 10_000))
    with database.read() as connection:
        assert screen_time(connection, selection=WITHOUT) == []
        assert first_appearances(connection, "homer_simpson", selection=WITHOUT) == []


def test_a_piece_at_a_time_of_its_own(database: Database) -> None:
    number = tagged(database, "a.mkv", [appearance("homer_simpson", 0, 30_000)])
    found(database, number, (10_000, 20_000))
    with database.read() as connection:
        at = [
            [
                each.appearance.start_pts
                for each in find_appearances(
                    connection, episode_id=number, at_seconds=seconds, selection=WITHOUT
                )
            ]
            for seconds in (9.999, 10.0, 19.999, 20.0)
        ]
    assert at == [[0], [], [], [20_000]]


LABELS = ("a", "b", "c")

spans = st.tuples(st.integers(0, 60), st.integers(1, 12)).map(lambda one: (one[0], sum(one)))


def disjoint(ranges: Sequence[PtsRange]) -> list[PtsRange]:
    """Those of the ranges that neither overlap nor touch an earlier one."""
    kept: list[PtsRange] = []
    for start, end in sorted(ranges):
        if not kept or start > kept[-1][1]:
            kept.append((start, end))
    return kept


@settings(
    max_examples=30, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture]
)
@given(
    shown_ranges=st.tuples(*(st.lists(spans, max_size=4).map(disjoint) for _ in LABELS)),
    repeats=st.lists(spans, max_size=3).map(disjoint),
    raw=st.booleans(),
)
def test_sql_and_python_cut_and_add_up_alike(
    database: Database,
    shown_ranges: tuple[list[PtsRange], ...],
    repeats: list[PtsRange],
    raw: bool,
) -> None:
    own = [
        appearance(label, start * 1000, end * 1000)
        for label, ranges in zip(LABELS, shown_ranges, strict=True)
        for start, end in ranges
    ]
    with database.write() as connection:
        for row in connection.execute(text("SELECT id FROM episode")).all():
            remove_episode(connection, row.id)
    number = tagged(database, "a.mkv", own)
    found(database, number, *((start * 1000, end * 1000) for start, end in repeats))
    pieces = [
        appearance(each.label, start, end)
        for each in own
        for start, end in difference(
            [(each.start_pts, each.end_pts)],
            [(start * 1000, end * 1000) for start, end in repeats],
        )
    ]
    selection = RunSelection(raw=raw, skip_repeats=True)
    with database.read() as connection:
        cut = {each.appearance for each in find_appearances(connection, selection=selection)}
        totals = screen_time(connection, selection=selection)
        pairs = shared_time(connection, selection=selection)
    assert cut == set(pieces)
    assert {(one.label, one.appearances, one.seconds) for one in totals} == {
        (one.label, one.appearances, one.seconds) for one in label_totals(pieces)
    }
    expected = {one[:3]: one.seconds for one in pair_totals(pieces, Fraction(1, 1000))}
    assert {(one.label, one.other, one.times): one.seconds for one in pairs} == pytest.approx(
        expected
    )


def test_what_was_found_is_replaced_and_is_read_again(database: Database) -> None:
    one, two, three = (tagged(database, f"{name}.mkv") for name in "abc")
    found(database, one, (0, 1000), (5000, 9000), elsewhere=(two, three))
    found(database, one, (100, 1000), elsewhere=(three, two))
    found(database, two)
    with database.read() as connection:
        searches = repeat_searches(connection)
        assert repeat_ranges(connection, [one, two, three]) == {one: ((100, 1000),)}
        assert never_searched(connection) == {three: "c.mkv"}
        assert never_searched(connection, one) == {}
    assert searches.keys() == {one, two}
    assert searches[one].repeats == (RepeatRecord(100, 1000, (two, three)),)
    assert searches[one].compared == 2
    assert searches[two].repeats == ()


def test_repeats_go_with_their_episode_and_outlive_the_others(database: Database) -> None:
    one, two = (tagged(database, f"{name}.mkv") for name in "ab")
    found(database, one, (0, 1000), elsewhere=(two,))
    found(database, two, (0, 2000), elsewhere=(one,))
    with database.write() as connection:
        remove_episode(connection, two)
    with database.read() as connection:
        assert {number: each.repeats for number, each in repeat_searches(connection).items()} == {
            one: (RepeatRecord(0, 1000, ()),)
        }
    with database.write() as connection:
        remove_episode(connection, one)
        assert repeat_searches(connection) == {}
        assert not replace_repeats(connection, one, [], compared=0)


def test_removals_and_searches_of_episodes_that_name_each_other_take_turns(
    database: Database,
) -> None:
    for _ in range(ROUNDS):
        one, two, three = (tagged(database, f"{name}.mkv") for name in "abc")
        numbers = {one, two, three}
        ranges = [(start, start + 100) for start in range(0, 6_000, 200)]
        for number in numbers:
            found(database, number, *ranges, elsewhere=sorted(numbers - {number}))
        with ThreadPoolExecutor() as threads:
            ended = [
                threads.submit(removed, database, one),
                threads.submit(removed, database, two),
                threads.submit(found, database, three, (0, 4000), elsewhere=(one, two)),
            ]
        assert [each.exception() for each in ended] == [None] * 3
        with database.read() as connection:
            assert repeat_searches(connection)[three].repeats == (RepeatRecord(0, 4000, ()),)
        removed(database, three)


ROUNDS = 5
"""Meetings of two removals and a search: each may come first."""


def removed(database: Database, number: int) -> None:
    with database.write() as connection:
        remove_episode(connection, number)


def test_an_episode_that_was_removed_meanwhile_is_not_named(database: Database) -> None:
    one, two, three = (tagged(database, f"{name}.mkv") for name in "abc")
    with database.write() as connection:
        remove_episode(connection, two)
    found(database, one, (0, 1000), elsewhere=(two, three))
    with database.read() as connection:
        assert repeat_searches(connection)[one].repeats == (RepeatRecord(0, 1000, (three,)),)


def test_a_library_of_the_schema_before_keeps_its_answers(database: Database) -> None:
    number = tagged(database, "a.mkv", [appearance("homer_simpson", 0, 30_000)])
    downgrade_database(database, "0016")
    assert upgrade_database(database)
    assert shown(database) == [("homer_simpson", 0, 30_000)]
    with database.read() as connection:
        assert never_searched(connection) == {number: "a.mkv"}
    found(database, number, (0, 10_000))
    assert shown(database) == [("homer_simpson", 10_000, 30_000)]


def test_every_pair_of_labels_has_one_row_in_both_layers(database: Database) -> None:
    """In the order of code points, whatever the server's collation: Ä comes after z."""
    labels = ("a_b", "ab", "z", "ä")
    number = tagged(database, "a.mkv", [appearance(label, 0, 30_000) for label in labels])
    found(database, number, (0, 10_000))
    with database.read() as connection:
        for selection in (RunSelection(), WITHOUT):
            rows = shared_time(connection, selection=selection)
            assert {(one.label, one.other) for one in rows} == set(combinations(sorted(labels), 2))
