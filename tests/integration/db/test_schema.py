"""The schema: migrations, the current run, the view for people, concurrent first use."""

import sqlite3
import subprocess
import sys
import threading
from dataclasses import replace
from datetime import UTC, datetime
from pathlib import Path

import pytest
from alembic.autogenerate import compare_metadata
from alembic.migration import MigrationContext
from alembic.script import ScriptDirectory
from sqlalchemy import text

import db.migrations
from db.changes.promotions import list_promotions
from db.engine import Database, sqlite_journal_mode
from db.errors import DatabaseError
from db.library.episodes import list_episodes
from db.library.runs import current_run_of, get_run
from db.questions.appearances import find_appearances, screen_time, written_names
from db.schema import metadata
from db.upgrade import HEAD, upgrade_database
from tests.rows.records import (
    APPEARANCE,
    end_run,
    made_appearance,
    made_episode,
    made_model,
    make_run,
)
from tests.servers.databases import downgrade_database, new_postgresql_url
from tests.waiting import PATIENCE_SECONDS

pytestmark = pytest.mark.integration

WRITES = 100
"""Of each of four writers: each waits for its turn many times."""


def shown_labels(database: Database) -> list[str]:
    with database.read() as connection:
        return [item.appearance.label for item in find_appearances(connection)]


def test_the_migrations_make_the_schema_that_the_code_declares(database: Database) -> None:
    with database.read() as connection:
        context = MigrationContext.configure(connection)
        assert compare_metadata(context, metadata) == []


def test_head_is_the_newest_migration() -> None:
    scripts = ScriptDirectory(str(Path(db.migrations.__file__).parent))
    assert scripts.get_current_head() == HEAD


def test_a_second_upgrade_changes_nothing(database: Database) -> None:
    assert not upgrade_database(database)


@pytest.mark.parametrize("engine", ["sqlite", "postgresql"])
def test_a_database_of_the_first_schema_keeps_its_rows(
    engine: str, tmp_path: Path, request: pytest.FixtureRequest
) -> None:
    url = f"sqlite:///{tmp_path / 'old.db'}"
    if engine == "postgresql":
        url = new_postgresql_url(request.getfixturevalue("postgresql_base_url"))
    old = Database(url)
    upgrade_database(old)
    run_id = make_run(old)
    downgrade_database(old, "0001")
    assert upgrade_database(old)
    with old.read() as connection:
        rows = connection.execute(text("SELECT is_reused FROM chunk")).scalars()
        assert [bool(value) for value in rows] == [False] * 6
        assert get_run(connection, run_id).frames_decoded == 0
        assert list_promotions(connection) == []
        assert written_names(connection) == {}
    old.dispose()


def test_a_database_of_a_newer_version_is_refused(database: Database) -> None:
    with database.write() as connection:
        connection.execute(text("UPDATE alembic_version SET version_num = '9999'"))
    with pytest.raises(DatabaseError, match="newer Castline"):
        upgrade_database(database)


def test_many_processes_may_open_a_new_home_at_once(tmp_path: Path) -> None:
    code = (
        "import sys; from db.engine import Database; from db.upgrade import upgrade_database;"
        " print(upgrade_database(Database(sys.argv[1])))"
    )
    url = f"sqlite:///{tmp_path / 'new' / 'castline.db'}"
    processes = [
        subprocess.Popen([sys.executable, "-c", code, url], stdout=subprocess.PIPE, text=True)
        for _ in range(4)
    ]
    answers = [process.communicate(timeout=PATIENCE_SECONDS)[0].strip() for process in processes]
    assert sorted(answers) == ["False", "False", "False", "True"]


def test_the_same_episode_enqueued_fifty_times_at_once_is_one_run(database: Database) -> None:
    found: list[int] = []
    threads = [threading.Thread(target=lambda: found.append(make_run(database))) for _ in range(50)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    with database.read() as connection:
        counts = [
            connection.execute(text(f"SELECT count(*) FROM {table}")).scalar()
            for table in ("episode", "model_version", "run", "chunk")
        ]
    assert len(found) == 50
    assert len(set(found)) == 1
    assert counts == [1, 1, 1, 6]


@pytest.mark.parametrize("year", [2025, 2027])
def test_a_trial_of_another_model_replaces_nothing(year: int, database: Database) -> None:
    first = make_run(database, model=made_model(year=2026))
    trial = make_run(database, model=made_model("d" * 64, "2", year=year))
    end_run(database, first, [APPEARANCE])
    end_run(database, trial, [made_appearance("ned_flanders")])
    assert shown_labels(database) == ["homer_simpson"]


def test_a_failed_run_is_never_shown(database: Database) -> None:
    run_id = make_run(database)
    end_run(database, run_id, [APPEARANCE], state="failed")
    with database.read() as connection:
        assert current_run_of(connection, 1) is None


def test_the_view_for_people_reads_without_castline(tmp_path: Path) -> None:
    database = Database(f"sqlite:///{tmp_path / 'castline.db'}")
    upgrade_database(database)
    end_run(database, make_run(database), [APPEARANCE])
    database.dispose()
    with sqlite3.connect(tmp_path / "castline.db") as connection:
        rows = connection.execute("SELECT * FROM timeline").fetchall()
    assert rows == [("pilot.mkv", "homer_simpson", 1.0, 4.5, 0.8, "cast@1", 1, *[None] * 4)]


def test_screen_time_adds_up_over_episodes(database: Database) -> None:
    end_run(database, make_run(database), [APPEARANCE])
    other = made_episode("e" * 64, "second.mkv")
    end_run(database, make_run(database, episode=other), [APPEARANCE])
    with database.read() as connection:
        [total] = screen_time(connection)
        names = [item.name for item in list_episodes(connection)]
    assert (total.label, total.seconds, total.appearances, total.episodes) == (
        "homer_simpson",
        7.0,
        2,
        2,
    )
    assert names == ["pilot.mkv", "second.mkv"]


def test_of_names_that_models_have_for_a_label_that_of_the_newest_counts(
    database: Database,
) -> None:
    for year, names in (
        (2028, {"homer_simpson": "Гомер"}),
        (2027, {"homer_simpson": "Homer J.", "ned_flanders": "=1+1"}),
        (2029, {}),
    ):
        model = replace(made_model(f"{year:064d}", str(year), year), names=names)
        make_run(database, model=model)
    with database.read() as connection:
        assert written_names(connection) == {"homer_simpson": "Гомер", "ned_flanders": "=1+1"}


def test_moments_come_back_in_utc(database: Database) -> None:
    run_id = make_run(database)
    with database.read() as connection:
        queued_at = get_run(connection, run_id).queued_at
    assert queued_at.tzinfo is not None
    assert abs((datetime.now(UTC) - queued_at).total_seconds()) < 60


@pytest.mark.parametrize(
    ("version", "mode"),
    [
        ((3, 40, 1), "DELETE"),
        ((3, 44, 5), "DELETE"),
        ((3, 44, 6), "WAL"),
        ((3, 45, 0), "DELETE"),
        ((3, 50, 6), "DELETE"),
        ((3, 50, 7), "WAL"),
        ((3, 51, 2), "DELETE"),
        ((3, 51, 3), "WAL"),
        ((3, 52, 0), "WAL"),
    ],
)
def test_the_write_ahead_log_is_used_only_where_it_is_free_of_its_bug(
    version: tuple[int, ...], mode: str
) -> None:
    assert sqlite_journal_mode(version) == mode


def test_an_unreadable_url_is_one_line_without_the_password() -> None:
    with pytest.raises(DatabaseError, match="use an sqlite or a postgresql URL") as caught:
        Database("mysql://root:secret@localhost/x")
    assert "secret" not in str(caught.value)


def test_four_writers_meet_no_lock_error_and_leave_the_file_whole(tmp_path: Path) -> None:
    url = f"sqlite:///{tmp_path / 'castline.db'}"
    upgrade_database(Database(url))
    code = (
        "import sys\n"
        "from db.engine import Database\n"
        "from db.changes.writes import register_model_version\n"
        "from tests.rows.records import made_model\n"
        "database, number = Database(sys.argv[1]), int(sys.argv[2])\n"
        "print('ready', flush=True)\n"
        "sys.stdin.readline()\n"
        f"for count in range({WRITES}):\n"
        "    with database.write() as connection:\n"
        "        register_model_version(connection, made_model(f'{number}{count:063d}'))\n"
    )
    processes = [
        subprocess.Popen(
            [sys.executable, "-c", code, url, str(number)],
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
            text=True,
            cwd=Path(__file__).parents[3],
        )
        for number in range(4)
    ]
    for process in processes:
        assert process.stdout is not None
        assert process.stdout.readline() == "ready\n"
    for process in processes:  # all begin together
        assert process.stdin is not None
        process.stdin.write("\n")
        process.stdin.flush()
    outputs = [process.communicate(timeout=PATIENCE_SECONDS) for process in processes]
    assert [error for _, error in outputs] == [""] * 4
    with sqlite3.connect(tmp_path / "castline.db") as connection:
        assert connection.execute("PRAGMA integrity_check").fetchone() == ("ok",)
        [rows] = connection.execute("SELECT count(*) FROM model_version").fetchone()
    assert rows == 4 * WRITES
