"""Rows that were damaged: a line that says so, whoever reads them, and never a traceback."""

import re
from collections.abc import Callable
from pathlib import Path

import pytest
from sqlalchemy import Connection, text

from db.changes.promotions import list_promotions
from db.engine import Database
from db.errors import DatabaseError
from db.library.episodes import find_episodes, get_episode, list_episodes
from db.library.runs import list_runs, run_progress
from db.questions.appearances import known_labels, written_names
from db.questions.spans import selected_spans
from db.queue.claimed import claimed_chunks
from db.queue.claims import claim_chunks
from db.states import ChunkState
from db.upgrade import upgrade_database
from tests.rows.records import end_run, make_run
from tests.servers.commands import castline_here, one_line

pytestmark = pytest.mark.integration

Reader = Callable[[Connection], object]

DAMAGE: dict[str, tuple[str, Reader]] = {
    "a rate of nothing": (
        "UPDATE episode SET frame_rate_den = 0",
        list_episodes,
    ),
    "a rate of nothing in a run": (
        "UPDATE episode SET frame_rate_den = 0",
        lambda connection: run_progress(connection, [1]),
    ),
    "half a list of key frames": (
        "UPDATE episode SET key_pts = '[1,'",
        lambda connection: get_episode(connection, 1),
    ),
    "a list that is none": (
        "UPDATE episode SET key_pts = '5'",
        lambda connection: find_episodes(connection, "pilot"),
    ),
    "a range without an end": (
        "UPDATE run SET missing = '[[1]]'",
        list_runs,
    ),
    "a range without an end in a span": (
        "UPDATE run SET missing = '[[1]]'",
        lambda connection: list(selected_spans(connection)),
    ),
    "labels that are a number": (
        "UPDATE model_version SET labels = '7'",
        known_labels,
    ),
    "names that are a list": (
        "UPDATE model_version SET names = '[1]'",
        written_names,
    ),
}


@pytest.mark.parametrize("kind", DAMAGE)
def test_who_reads_a_damaged_row_is_told_so_in_a_line(kind: str, database: Database) -> None:
    statement, read = DAMAGE[kind]
    end_run(database, make_run(database))
    with database.write() as connection:
        connection.execute(text(statement))
    with (
        database.read() as connection,
        pytest.raises(DatabaseError, match=r"Castline never wrote .*; put a backup in its place"),
    ):
        read(connection)


def test_a_worker_that_claims_a_damaged_row_is_told_so(database: Database) -> None:
    make_run(database)
    with database.write() as connection:
        connection.execute(text("UPDATE episode SET time_base_den = 0"))
        claims = claim_chunks(connection, ChunkState.QUEUED, worker="somebody", lease_seconds=60)
        with pytest.raises(DatabaseError, match="put a backup in its place"):
            claimed_chunks(connection, claims)


@pytest.fixture
def home(tmp_path: Path) -> Path:
    """A home on SQLite, which takes any text for a moment, with one run."""
    database = Database(f"sqlite:///{tmp_path / 'castline.db'}")
    upgrade_database(database)
    make_run(database)
    database.dispose()
    return tmp_path


@pytest.mark.parametrize(
    "statement",
    [
        "UPDATE run SET queued_at = 'yesterday'",
        "UPDATE run SET params = '{}'",
        "UPDATE run SET params = '[]'",
        """UPDATE run SET params = replace(params, '"1/2"', '"1/0"')""",
        "UPDATE alembic_version SET version_num = '0000'",
        "UPDATE alembic_version SET version_num = 'none'",
    ],
)
def test_status_tells_of_damage_in_one_line(statement: str, home: Path) -> None:
    database = Database(f"sqlite:///{home / 'castline.db'}")
    with database.write() as connection:
        connection.execute(text(statement))
    database.dispose()
    ended = castline_here(home, "status")
    assert ended.returncode == 1
    assert re.search("backup in its place|another database", one_line(ended.stderr))


def test_a_file_of_which_the_end_is_lost_is_told_with_what_to_do(home: Path) -> None:
    whole = (home / "castline.db").read_bytes()
    (home / "castline.db").write_bytes(whole[: len(whole) // 2])
    ended = castline_here(home, "status")
    assert ended.returncode == 1
    assert "malformed; put a backup in its place (docs/how-to/deploying.md)" in one_line(
        ended.stderr
    )


def test_promotions_with_a_damaged_moment_are_told_so(home: Path) -> None:
    database = Database(f"sqlite:///{home / 'castline.db'}")
    with database.write() as connection:
        connection.execute(
            text(
                "INSERT INTO promotion (model, promoted_at, requirement, forced, regressions)"
                " VALUES ('a@1', 'soon', '', 0, '[]')"
            )
        )
    with (
        database.read() as connection,
        pytest.raises(DatabaseError, match="put a backup in its place"),
    ):
        list_promotions(connection)
    database.dispose()
