"""Backup and restore, as docs/how-to/deploying.md tells: what comes back is what was there."""

import shutil
import sqlite3
import subprocess
from collections.abc import Iterator
from contextlib import closing, contextmanager
from pathlib import Path

import pytest

from db.changes.writes import finish_run, replace_tags
from db.engine import Database
from db.library.runs import list_runs, run_tags
from db.questions.appearances import find_appearances
from db.queue.claims import claim_chunks
from db.queue.completing import complete_taggings
from db.records import TagRecord
from db.states import ChunkState, RunState
from db.upgrade import upgrade_database
from tests.rows.records import APPEARANCE, made_episode, make_run
from tests.servers.databases import new_postgresql_url, postgresql_tool

pytestmark = pytest.mark.integration

TAGS = [TagRecord(1000, "homer_simpson", "full", 0.9, 1.0)]


def fill(database: Database) -> None:
    """One run that is done, and one with a claimed chunk."""
    upgrade_database(database)
    run_id = make_run(database, chunks=((0, 360_000),))
    with database.write() as connection:
        connection.exec_driver_sql("UPDATE chunk SET state = 'extracted'")
        [claim] = claim_chunks(connection, ChunkState.EXTRACTED, "me/1/1", 60)
        assert complete_taggings(connection, [claim])
        replace_tags(connection, {claim: TAGS})
        finish_run(
            connection,
            run_id=run_id,
            episode_id=1,
            state=RunState.DONE,
            frames=720,
            decode_errors=0,
            missing=(),
            error=None,
            appearances=[APPEARANCE],
        )
    make_run(database, made_episode("d" * 64, "second.mkv"))
    with database.write() as connection:
        claim_chunks(connection, ChunkState.QUEUED, "me/1/1", 60)


def content(database: Database) -> tuple[object, ...]:
    with database.read() as connection:
        return list_runs(connection), run_tags(connection, 1), find_appearances(connection)


@contextmanager
def opened(url: str) -> Iterator[Database]:
    database = Database(url)
    yield database
    database.dispose()


def test_a_dump_of_postgresql_comes_back_whole(postgresql_base_url: str, tmp_path: Path) -> None:
    url, other = (new_postgresql_url(postgresql_base_url) for _ in range(2))
    dump = tmp_path / "castline.dump"
    with opened(url) as database:
        fill(database)
        before = content(database)
        subprocess.run(
            [postgresql_tool("pg_dump"), "--format=custom", f"--file={dump}", f"--dbname={url}"],
            check=True,
        )
        with database.write() as connection:
            connection.exec_driver_sql("DELETE FROM tag")
    subprocess.run(
        [
            postgresql_tool("pg_restore"),
            *("--no-privileges", "--exit-on-error", "--single-transaction", "--no-owner"),
            *(f"--dbname={other}", str(dump)),
        ],
        check=True,
    )
    with opened(other) as restored:
        assert not upgrade_database(restored)
        assert content(restored) == before
        # Its counters go on where they were: a new row takes a new number.
        assert make_run(restored, made_episode("e" * 64, "third.mkv")) == 3


def test_a_copy_of_sqlite_that_is_made_while_it_is_written_comes_back_whole(
    tmp_path: Path,
) -> None:
    home, copy = tmp_path / "castline.db", tmp_path / "backup.db"
    with opened(f"sqlite:///{home}") as database:
        fill(database)
        before = content(database)
        with closing(sqlite3.connect(home)) as connection:
            connection.execute("VACUUM INTO ?", [str(copy)])
        with database.write() as connection:
            connection.exec_driver_sql("DELETE FROM tag")
    shutil.copy(copy, home)
    with opened(f"sqlite:///{home}") as restored:
        assert not upgrade_database(restored)
        assert content(restored) == before
        with restored.read() as connection:
            assert connection.exec_driver_sql("PRAGMA integrity_check").scalar_one() == "ok"
