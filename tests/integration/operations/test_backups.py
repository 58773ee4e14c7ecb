"""Backup and restore, as docs/how-to/deploying.md tells: what comes back is what was there."""

import shutil
import sqlite3
import subprocess
from collections.abc import Iterator
from contextlib import closing, contextmanager
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

from castline.library import Library
from db.changes.writes import finish_run, register_episode, replace_tags
from db.engine import Database
from db.library.runs import list_runs, run_tags
from db.questions.appearances import find_appearances
from db.queue.claims import claim_chunks
from db.queue.completing import complete_taggings
from db.records import TagRecord
from db.states import ChunkState, RunState
from db.upgrade import upgrade_database
from tests.integration.library.test_corrections import library_on
from tests.rows.looked_at import looked_at
from tests.rows.records import APPEARANCE, made_episode, made_model, make_run
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


def dump_and_restore(url: str, dump: Path, other: str) -> None:
    """Restore a dump of a PostgreSQL database into another, empty one."""
    subprocess.run(
        [postgresql_tool("pg_dump"), "--format=custom", f"--file={dump}", f"--dbname={url}"],
        check=True,
    )
    subprocess.run(
        [
            postgresql_tool("pg_restore"),
            *("--no-privileges", "--exit-on-error", "--single-transaction", "--no-owner"),
            *(f"--dbname={other}", str(dump)),
        ],
        check=True,
    )


def copy_of(file: Path, copy: Path) -> None:
    with closing(sqlite3.connect(file)) as connection:
        connection.execute("VACUUM INTO ?", [str(copy)])


def test_a_dump_of_postgresql_comes_back_whole(postgresql_base_url: str, tmp_path: Path) -> None:
    url, other = (new_postgresql_url(postgresql_base_url) for _ in range(2))
    with opened(url) as database:
        fill(database)
        before = content(database)
    dump_and_restore(url, tmp_path / "castline.dump", other)
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
        copy_of(home, copy)
        with database.write() as connection:
            connection.exec_driver_sql("DELETE FROM tag")
    shutil.copy(copy, home)
    with opened(f"sqlite:///{home}") as restored:
        assert not upgrade_database(restored)
        assert content(restored) == before
        with restored.read() as connection:
            assert connection.exec_driver_sql("PRAGMA integrity_check").scalar_one() == "ok"


@contextmanager
def restored(
    database: Database, request: pytest.FixtureRequest, folder: Path
) -> Iterator[Database]:
    """Another database with what a backup of the first contains."""
    url = database.url.render_as_string(hide_password=False)
    if database.is_sqlite:
        file = folder / "restored.db"
        copy_of(Path(str(database.url.database)), file)
        other = f"sqlite:///{file}"
    else:
        other = new_postgresql_url(request.getfixturevalue("postgresql_base_url"))
        dump_and_restore(url.replace("+psycopg", ""), folder / "castline.dump", other)
    with opened(other) as found:
        yield found


def test_every_correction_counts_after_a_restore_a_rerun_and_a_move(
    database: Database, request: pytest.FixtureRequest, tmp_path: Path
) -> None:
    seen = {"homer_simpson": [(10_000, 30_000, 0.7), (60_000, 70_000, 0.9)]}
    cuts = (10_000, 20_000, 40_000, 60_000)
    looked_at(database, seen, cuts=cuts)
    with library_on(database, tmp_path) as library:
        library.correct("pilot.mkv", "homer", at=12, is_="ned")
        library.correct("pilot.mkv", "homer", at=65, right=True)
        library.correct("pilot.mkv", add="ned", from_=100, to=110)
        [undone] = library.correct("pilot.mkv", add="ned", from_=200, to=210)
        library.undo_corrections([undone.key])
        said = library.corrections()
        shown, raw = answers(library)
    assert len(said) == 5
    assert shown != raw
    with restored(database, request, tmp_path) as other, library_on(other, tmp_path) as library:
        assert library.corrections() == said
        assert answers(library) == (shown, raw)
        with other.write() as connection:
            register_episode(connection, replace(made_episode(), uri="/new/place.mkv"))
        looked_at(other, seen, cuts=cuts, model=made_model("d" * 64, "2", year=2027))
        for model in ("cast@1", "cast@2"):
            assert answers(library, model=model) == (shown, raw)
        assert [one.status for one in library.corrections_status()] == [
            *("needed", "agrees", "needed")
        ]


def answers(library: Library, **options: Any) -> tuple[list[Any], list[Any]]:
    """Who is on screen when, with what people said and without."""
    shown, raw = (
        [(one.label, one.start_seconds, one.end_seconds) for one in found]
        for found in (library.who("a" * 64, raw=raw, **options) for raw in (False, True))
    )
    return shown, raw
