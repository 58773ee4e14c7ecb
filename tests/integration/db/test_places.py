"""Places of tags: through both databases, and in what is asked of them."""

import pytest
from sqlalchemy import text

from db.changes.writes import replace_tags
from db.engine import Database
from db.library.places import surest_place, tags_of_appearances
from db.library.runs import run_tags
from db.questions.appearances import find_appearances, first_appearances
from db.queue.claims import claim_chunks
from db.queue.completing import complete_extractions, complete_taggings
from db.records import AppearanceRecord, ExtractedChunk, TagRecord
from db.states import ChunkState
from db.upgrade import upgrade_database
from exact.place import Place
from tests.rows.records import end_run, made_appearance, made_model, make_run
from tests.servers.databases import downgrade_database

pytestmark = pytest.mark.integration

LEFT, RIGHT = Place(0.25, 0.5, 0.125, 0.5), Place(0.75, 0.4375, 0.25, 0.625)
ONE_CHUNK = ((0, 360_000),)


def ned(pts: int, confidence: float, place: Place | None, label: str = "ned_flanders") -> TagRecord:
    return TagRecord(pts, label, "full", confidence, pts / 1000, place)


NEDS = [
    ned(500, 0.95, None),  # before he appears
    ned(1000, 0.7, LEFT),
    ned(2000, 0.9, RIGHT),
    ned(2000, 0.99, LEFT, "homer_simpson"),
    ned(3000, 0.9, LEFT),  # as sure as a second before
    ned(4500, 0.99, LEFT),  # when he appears no more
]


def write_tags(database: Database, tags: list[TagRecord]) -> None:
    """Takes the next chunk through its steps, and gives it these tags."""
    for state in (ChunkState.QUEUED, ChunkState.EXTRACTED):
        with database.write() as connection:
            [claim] = claim_chunks(connection, state, "w/1/1.0", 60, limit=1)
            if state is ChunkState.QUEUED:
                extracted = ExtractedChunk(tuple(range(0, 6000, 500)), 144, 0, ())
                complete_extractions(connection, {claim: extracted})
            else:
                complete_taggings(connection, [claim])
                replace_tags(connection, {claim: tags})


def tagged_run(
    database: Database, tags: list[TagRecord], *appearances: AppearanceRecord, version: str = "1"
) -> int:
    """A run of one chunk that ended with these."""
    run_id = make_run(database, model=made_model(version * 64, version), chunks=ONE_CHUNK)
    write_tags(database, tags)
    end_run(database, run_id, appearances)
    return run_id


def test_places_come_back_as_they_were_written(database: Database) -> None:
    run_id = tagged_run(database, NEDS)
    with database.read() as connection:
        assert run_tags(connection, run_id) == sorted(NEDS, key=lambda tag: (tag.pts, tag.label))
        columns = "place_x, place_y, place_width, place_height"
        rows = connection.execute(
            text(f"SELECT {columns} FROM tag WHERE label = 'ned_flanders' ORDER BY pts")
        ).fetchall()
    assert [tuple(row) for row in rows[:3]] == [
        (None, None, None, None),
        (0.25, 0.5, 0.125, 0.5),
        (0.75, 0.4375, 0.25, 0.625),
    ]


def test_tags_of_before_there_were_places_are_kept_without_any(database: Database) -> None:
    run_id = make_run(database, chunks=ONE_CHUNK)
    downgrade_database(database, "0006")
    with database.write() as connection:
        connection.execute(
            text(
                "INSERT INTO tag (run_id, pts, label, region, confidence, seconds)"
                f" VALUES ({run_id}, 1000, 'homer_simpson', 'left', 0.75, 1.0)"
            )
        )
    assert upgrade_database(database)
    end_run(database, run_id, [made_appearance("homer_simpson")])
    with database.read() as connection:
        old = TagRecord(1000, "homer_simpson", "left", 0.75, 1.0, None)
        assert run_tags(connection, run_id) == tags_of_appearances(connection, run_id) == [old]
        [found] = find_appearances(connection, places=True)
        assert (found.appearance.label, found.place) == ("homer_simpson", None)
        assert surest_place(connection, [run_id], "homer_simpson", 1000) is None


def test_an_appearance_is_where_the_label_was_seen_most_surely_and_first(
    database: Database,
) -> None:
    tagged_run(database, NEDS, made_appearance("homer_simpson"), made_appearance("ned_flanders"))
    with database.read() as connection:
        found = find_appearances(connection, places=True)
        [first] = first_appearances(connection, "ned_flanders", places=True)
        without = find_appearances(connection)
    assert [(item.appearance.label, item.place) for item in found] == [
        ("homer_simpson", LEFT),
        ("ned_flanders", RIGHT),
    ]
    assert first == found[1]
    assert [item.appearance for item in without] == [item.appearance for item in found]
    assert [item.place for item in without] == [None, None]


@pytest.mark.parametrize(
    ("at_seconds", "place"), [(1.0, LEFT), (1.9, LEFT), (2.0, RIGHT), (2.999, RIGHT), (4.4, LEFT)]
)
def test_at_a_moment_a_label_is_where_it_was_seen_last(
    at_seconds: float, place: Place, database: Database
) -> None:
    tagged_run(database, NEDS, made_appearance("ned_flanders"))
    with database.read() as connection:
        [found] = find_appearances(connection, at_seconds=at_seconds, places=True)
    assert found.place == place


def test_before_it_was_looked_at_a_label_is_where_it_was_seen_first(database: Database) -> None:
    tagged_run(database, NEDS, AppearanceRecord("ned_flanders", 800, 4500, 0.8, 4.5, 7, 0.8, 0.9))
    with database.read() as connection:
        [found] = find_appearances(connection, at_seconds=0.9, places=True)
    assert found.place == LEFT


def test_an_appearance_without_any_tag_has_no_place(database: Database) -> None:
    tagged_run(database, [], made_appearance("ned_flanders"))
    with database.read() as connection:
        [found] = find_appearances(connection, places=True)
    assert found.place is None


def test_only_tags_within_an_appearance_of_their_label_belong_to_it(database: Database) -> None:
    run_id = tagged_run(database, NEDS, made_appearance("ned_flanders"))
    with database.read() as connection:
        found = tags_of_appearances(connection, run_id)
    assert [(tag.pts, tag.label, tag.place) for tag in found] == [
        (1000, "ned_flanders", LEFT),
        (2000, "ned_flanders", RIGHT),
        (3000, "ned_flanders", LEFT),
    ]


def test_of_two_runs_the_surer_one_says_where(database: Database) -> None:
    one = tagged_run(database, [ned(1000, 0.3, LEFT)], version="1")
    other = tagged_run(database, [ned(1000, 0.8, RIGHT)], version="2")
    with database.read() as connection:
        assert surest_place(connection, [one, other], "ned_flanders", 1000) == RIGHT
        assert surest_place(connection, [one], "ned_flanders", 1000) == LEFT
        assert surest_place(connection, [one, other], "ned_flanders", 1500) is None
        assert surest_place(connection, [one, other], "homer_simpson", 1000) is None
