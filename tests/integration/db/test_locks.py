"""Locks that others hold for long: waited out by who stays, told in one line by who does not."""

import sqlite3
from collections.abc import Iterator
from contextlib import closing, contextmanager
from pathlib import Path

import pytest

from db.changes.writes import cancel_run
from db.engine import Database
from db.errors import DatabaseBusyError, DatabaseCutError
from db.library.runs import get_run
from db.patience import HURRIED_SECONDS, Patience, patience_of_worker
from db.queue.claims import begin_claim, claim_chunks
from db.retrying import retry_on_disconnect, retry_on_lock
from db.states import ChunkState
from db.upgrade import upgrade_database
from ingest.decoder.parent import Decoder
from tests.rows.records import make_run
from tests.servers.databases import new_postgresql_url
from worker.embedded.runner import EmbeddedRunner, RunnerOptions
from worker.installation import Installation, open_installation
from worker.settings import Settings

pytestmark = pytest.mark.integration

AT_ONCE = 0.0
"""How long an attempt waits for a lock: no test waits for one that it holds itself."""

PAUSES_WITH_LOCK = 30
"""More than two minutes of pauses, which is what those are given who do not stay."""


@pytest.fixture
def path(tmp_path: Path) -> Path:
    """A migrated SQLite file."""
    path = tmp_path / "castline.db"
    with opened(path) as database:
        upgrade_database(database)
    return path


@contextmanager
def opened(path: Path, patience: Patience | None = None) -> Iterator[Database]:
    database = Database(f"sqlite:///{path}", patience)
    yield database
    database.dispose()


@contextmanager
def other_program(path: Path) -> Iterator[sqlite3.Connection]:
    with closing(sqlite3.connect(path, isolation_level=None, check_same_thread=False)) as other:
        yield other


@pytest.fixture
def pauses(monkeypatch: pytest.MonkeyPatch) -> list[float]:
    """The pauses that were made, without making them, on a clock that knows nothing else."""
    made: list[float] = []
    monkeypatch.setattr("db.retrying.time.sleep", made.append)
    monkeypatch.setattr("db.retrying.time.monotonic", lambda: sum(made))
    return made


def test_a_lock_of_sqlite_is_told_as_such(path: Path) -> None:
    with opened(path, Patience(AT_ONCE)) as database, other_program(path) as other:
        other.execute("BEGIN EXCLUSIVE")
        with pytest.raises(DatabaseBusyError, match="another program holds its lock"):
            make_run(database)
        with pytest.raises(DatabaseBusyError), database.read() as connection:
            get_run(connection, 1)
        other.execute("COMMIT")
        assert make_run(database) == 1


def test_a_commit_that_a_reader_holds_up_leaves_nothing_and_can_be_made_again(path: Path) -> None:
    with opened(path, Patience(AT_ONCE)) as database, other_program(path) as other:
        run_id = make_run(database)
        other.execute("BEGIN")
        other.execute("SELECT count(*) FROM run").fetchall()
        with pytest.raises(DatabaseBusyError), database.write() as connection:
            cancel_run(connection, run_id)
        other.execute("COMMIT")
        with database.read() as connection:
            assert get_run(connection, run_id).state == "queued"
        with database.write() as connection:
            assert cancel_run(connection, run_id) == "cancelled"


def test_who_stays_waits_for_as_long_as_it_takes_and_says_so_once(
    path: Path, pauses: list[float], caplog: pytest.LogCaptureFixture
) -> None:
    patience = patience_of_worker(stays=True)
    patience.lock_seconds = AT_ONCE
    with opened(path, patience) as database, other_program(path) as other:
        other.execute("BEGIN EXCLUSIVE")

        @retry_on_disconnect
        def enqueue() -> int:
            if len(pauses) == PAUSES_WITH_LOCK and other.in_transaction:
                other.execute("COMMIT")
            return make_run(database)

        assert enqueue() == 1
    assert sum(pauses) > 120
    [told] = [record for record in caplog.records if "locked" in record.getMessage()]
    assert "waiting" in told.getMessage()


def test_who_is_told_to_stop_does_not_wait_for_long(pauses: list[float]) -> None:
    patience = patience_of_worker(stays=True)

    @retry_on_disconnect
    def work() -> None:
        if len(pauses) == PAUSES_WITH_LOCK:
            patience.hurry()
        raise DatabaseBusyError("locked", patience)

    with pytest.raises(DatabaseBusyError):
        work()
    assert sum(pauses[PAUSES_WITH_LOCK:]) <= HURRIED_SECONDS


def test_a_server_that_is_not_there_is_told_at_once_where_only_locks_are_outlived(
    pauses: list[float],
) -> None:
    @retry_on_lock
    def work() -> None:
        raise DatabaseCutError("nobody listens", patience_of_worker(stays=True))

    with pytest.raises(DatabaseCutError):
        work()
    assert pauses == []


def test_the_embedded_worker_outlives_a_lock_that_is_held_for_minutes(
    path: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    settings = Settings(home=tmp_path, database_url=f"sqlite:///{path}")
    patience = patience_of_worker(stays=True)
    patience.lock_seconds = AT_ONCE
    with opened(path, patience) as database, other_program(path) as other:
        installation = Installation(settings, database)
        runner = EmbeddedRunner(installation, RunnerOptions(1, until_idle=False), Decoder)
        count = iter(range(PAUSES_WITH_LOCK))

        def pause(_seconds: float) -> None:
            if next(count, None) is None and other.in_transaction:
                other.execute("COMMIT")
                runner.stop()

        monkeypatch.setattr("db.retrying.time.sleep", pause)
        monkeypatch.setattr("worker.embedded.runner.ClassifyChild", NoChild)
        other.execute("BEGIN EXCLUSIVE")
        assert not runner.run(), "stopped, and not ended by an error"
    assert next(count, None) is None


def test_the_embedded_worker_that_is_told_to_stop_ends_while_the_lock_is_held(
    database: Database, tmp_path: Path, pauses: list[float], monkeypatch: pytest.MonkeyPatch
) -> None:
    patience = patience_of_worker(stays=True)
    patience.lock_seconds = AT_ONCE if database.is_sqlite else 0.05
    held = Database(database.url.render_as_string(hide_password=False), patience)
    installation = Installation(Settings(home=tmp_path, database_url=database.shown_url), held)
    runner = EmbeddedRunner(installation, RunnerOptions(1, until_idle=False), Decoder)

    def pause(seconds: float) -> None:
        pauses.append(seconds)
        if len(pauses) == PAUSES_WITH_LOCK:
            runner.stop()

    monkeypatch.setattr("db.retrying.time.sleep", pause)
    monkeypatch.setattr("db.patience.time.monotonic", lambda: sum(pauses))
    monkeypatch.setattr("worker.embedded.runner.ClassifyChild", NoChild)
    with locked(database), pytest.raises(DatabaseBusyError):
        runner.run()
    held.dispose()
    assert len(pauses) > PAUSES_WITH_LOCK
    assert sum(pauses[PAUSES_WITH_LOCK:]) <= 2 * HURRIED_SECONDS


@contextmanager
def locked(database: Database) -> Iterator[None]:
    """Another program has all that a worker needs, so that it cannot even read."""
    if database.is_sqlite:
        with other_program(Path(str(database.url.database))) as other:
            other.execute("BEGIN EXCLUSIVE")
            yield
    else:
        with database.write() as connection:
            connection.exec_driver_sql("LOCK TABLE chunk, run IN ACCESS EXCLUSIVE MODE")
            yield


class NoChild:
    """In place of the classify process, which has a connection of its own."""

    def __init__(self, _order: object) -> None:
        pass

    def ensure_alive(self) -> bool:
        return False

    def stop(self) -> None:
        pass


def test_a_worker_that_starts_while_the_database_is_locked_waits(
    path: Path, tmp_path: Path, pauses: list[float], monkeypatch: pytest.MonkeyPatch
) -> None:
    settings = Settings(home=tmp_path, database_url=f"sqlite:///{path}")
    patience = patience_of_worker(stays=True)
    patience.lock_seconds = AT_ONCE
    with other_program(path) as other:
        other.execute("BEGIN EXCLUSIVE")

        def pause(seconds: float) -> None:
            pauses.append(seconds)
            if len(pauses) == PAUSES_WITH_LOCK:
                other.execute("COMMIT")

        monkeypatch.setattr("db.retrying.time.sleep", pause)
        with open_installation(settings, patience) as installation:
            assert make_run(installation.database) == 1
    assert len(pauses) == PAUSES_WITH_LOCK


@pytest.fixture
def postgresql_url(postgresql_base_url: str) -> str:
    return new_postgresql_url(postgresql_base_url)


def test_a_lock_of_postgresql_is_waited_for_as_long_as_was_said(postgresql_url: str) -> None:
    database, impatient = Database(postgresql_url), Database(postgresql_url, Patience(0.05))
    upgrade_database(database)
    run_id = make_run(database)
    with database.write() as holding:
        cancel_run(holding, run_id)
        with (
            pytest.raises(DatabaseBusyError, match="another program holds a lock"),
            impatient.write() as connection,
        ):
            cancel_run(connection, run_id)
    for each in (database, impatient):
        each.dispose()


def test_no_advisory_lock_holds_up_a_claim(postgresql_url: str) -> None:
    database, other = Database(postgresql_url, Patience(0.05)), Database(postgresql_url)
    upgrade_database(database)
    make_run(database)
    with other.read() as reader, database.write() as connection:
        # Each that Castline ever took: a person's own SELECT may take any.
        reader.exec_driver_sql(f"SELECT pg_advisory_lock({0x65787472}), pg_advisory_lock(0)")
        begin_claim(connection, ChunkState.QUEUED)
        assert claim_chunks(connection, ChunkState.QUEUED, "me/1/1.0", 60)
    for each in (database, other):
        each.dispose()


def test_claims_to_extract_wait_for_each_other(postgresql_url: str) -> None:
    database, other = Database(postgresql_url), Database(postgresql_url, Patience(0.05))
    upgrade_database(database)
    for _ in range(8):  # the driver prepares what comes again: more than five times
        with database.write() as first:
            begin_claim(first, ChunkState.QUEUED)
            with pytest.raises(DatabaseBusyError), other.write() as second:
                begin_claim(second, ChunkState.QUEUED)
            with other.write() as second:
                begin_claim(second, ChunkState.EXTRACTED)
    for each in (database, other):
        each.dispose()
