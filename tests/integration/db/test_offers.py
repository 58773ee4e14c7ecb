"""Lanes, duties, how far extraction is ahead, and work that outlives a cut connection."""

import pytest

from db.changes.writes import cancel_run, retry_run
from db.engine import Database
from db.errors import DatabaseCutError, DatabaseError
from db.patience import CUT_SECONDS
from db.queue.claims import claim_chunks, fail_claim
from db.queue.completing import complete_extractions
from db.queue.duties import leave_duty, take_duty
from db.queue.free import CHUNKS_PER_GROUP, chunks_ahead
from db.queue.offers import offered_groups, waiting_chunk
from db.records import ExtractedChunk
from db.retrying import retry_on_disconnect
from db.states import ChunkState, Lane
from tests.rows.records import CHUNKS, made_episode, make_run

pytestmark = pytest.mark.integration

FIRST, SECOND = "here/1/1.0", "there/2/2.0"


def test_what_is_interactive_is_claimed_and_offered_first(database: Database) -> None:
    bulk = make_run(database, chunks=CHUNKS[:2])
    interactive = make_run(database, made_episode("c" * 64), chunks=CHUNKS[:1], lane="interactive")
    with database.write() as connection:
        # By the numbers of their rows: two of the bulk run, which share a group, then the other.
        assert offered_groups(connection, ChunkState.QUEUED, Lane.INTERACTIVE, 10) == [3]
        assert offered_groups(connection, ChunkState.QUEUED, Lane.BULK, 10) == [1]
        claims = claim_chunks(connection, ChunkState.QUEUED, FIRST, 60, limit=3)
    assert [claim.run_id for claim in claims] == [interactive, bulk, bulk]


def test_a_run_of_bulk_that_somebody_waits_for_becomes_interactive(database: Database) -> None:
    run_id = make_run(database)
    for lane in ("interactive", "bulk"):  # and stays so
        assert make_run(database, lane=lane) == run_id
        with database.read() as connection:
            assert offered_groups(connection, ChunkState.QUEUED, Lane.INTERACTIVE, 10) == [1]
            assert offered_groups(connection, ChunkState.QUEUED, Lane.BULK, 10) == []


def test_a_group_is_offered_once_and_a_chunk_that_failed_by_itself(database: Database) -> None:
    whole = CHUNKS_PER_GROUP
    second, third = whole + 1, 2 * whole + 1  # which chunks begin the groups after the first
    make_run(database, chunks=tuple((start, start + 1) for start in range(3 * whole)))
    with database.write() as connection:
        assert offered_groups(connection, ChunkState.QUEUED, Lane.BULK, 100) == [1, second, third]
        assert offered_groups(connection, ChunkState.QUEUED, Lane.BULK, third) == [1, second, third]
        assert offered_groups(connection, ChunkState.QUEUED, Lane.BULK, third - 1) == [1, second]
        assert offered_groups(connection, ChunkState.QUEUED, Lane.BULK, 0) == []
        assert offered_groups(connection, ChunkState.QUEUED, Lane.BULK, 100, beyond=1) == [
            second,
            third,
        ]
        assert offered_groups(connection, ChunkState.QUEUED, Lane.BULK, 100, beyond=whole) == [
            second,
            third,
        ]
        assert offered_groups(connection, ChunkState.QUEUED, Lane.BULK, 100, beyond=whole + 1) == [
            third
        ]
        _, failing, *_ = claim_chunks(connection, ChunkState.QUEUED, FIRST, 60, limit=3)
        assert offered_groups(connection, ChunkState.QUEUED, Lane.BULK, 100) == [4, second, third]
        fail_claim(connection, failing, "it broke", lost=False, split_at=None)
        assert offered_groups(connection, ChunkState.QUEUED, Lane.BULK, 100) == [
            2,
            4,
            second,
            third,
        ]
        assert offered_groups(connection, ChunkState.QUEUED, Lane.BULK, 100, beyond=2) == [
            second,
            third,
        ]


def test_a_duty_is_one_workers_until_its_lease_ends_or_it_leaves(database: Database) -> None:
    with database.write() as connection:
        assert take_duty(connection, "sweep", FIRST, 60)
        assert take_duty(connection, "sweep", FIRST, 60)
        assert not take_duty(connection, "sweep", SECOND, 60)
        assert take_duty(connection, "other", SECOND, 60)
        leave_duty(connection, "sweep", SECOND)
        assert not take_duty(connection, "sweep", SECOND, 60)
        leave_duty(connection, "sweep", FIRST)
        assert take_duty(connection, "sweep", SECOND, lease_seconds=-1)
        assert take_duty(connection, "sweep", FIRST, 60)


def test_chunks_are_ahead_from_their_claim_until_they_are_tagged(database: Database) -> None:
    run_id = make_run(database)
    with database.write() as connection:
        assert chunks_ahead(connection, 10) == 0
        first, _ = claim_chunks(connection, ChunkState.QUEUED, FIRST, 60, limit=2)
        assert chunks_ahead(connection, 10) == 2
        assert waiting_chunk(connection, first.chunk_id) is None
        complete_extractions(connection, {first: ExtractedChunk((0, 500, 1000), 30, 0, ())})
        assert chunks_ahead(connection, 10) == 2
        assert chunks_ahead(connection, 1) == 1
        assert chunks_ahead(connection, 10, [run_id + 1]) == 0
        waiting = waiting_chunk(connection, first.chunk_id)
        cancel_run(connection, run_id)
        assert chunks_ahead(connection, 10) == 0
        retry_run(connection, run_id)
        assert chunks_ahead(connection, 10) == 1, "the run is queued again, its chunk extracted"
    assert waiting is not None
    assert (waiting.model_sha256, waiting.frames) == ("b" * 64, 3)


@pytest.fixture
def pauses(monkeypatch: pytest.MonkeyPatch) -> list[float]:
    """The pauses that were made, without making them."""
    made: list[float] = []
    monkeypatch.setattr("time.sleep", made.append)
    return made


def test_work_begins_anew_after_growing_pauses_when_its_connection_is_cut(
    pauses: list[float],
) -> None:
    attempts = iter([DatabaseCutError("cut")] * 8)

    @retry_on_disconnect
    def work() -> str:
        for error in attempts:
            raise error
        return "done"

    assert work() == "done"
    assert pauses == [0.1, 0.2, 0.4, 0.8, 1.6, 3.2, 5.0, 5.0]


def test_other_errors_are_raised_at_once(pauses: list[float]) -> None:
    @retry_on_disconnect
    def work() -> None:
        raise DatabaseError("no such table")

    with pytest.raises(DatabaseError, match="no such table"):
        work()
    assert pauses == []


def test_a_server_that_stays_away_is_given_up(
    pauses: list[float], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("time.monotonic", lambda: sum(pauses))

    @retry_on_disconnect
    def work() -> None:
        raise DatabaseCutError("cut")

    with pytest.raises(DatabaseCutError):
        work()
    assert 100 < sum(pauses) <= CUT_SECONDS


def test_a_connection_that_was_cut_while_it_lay_idle_is_replaced_unnoticed(
    postgresql_base_url: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("db.engine.TRIED_AFTER_SECONDS", 0.0)
    database, other = Database(postgresql_base_url), Database(postgresql_base_url)
    with database.read() as connection:
        pid = connection.exec_driver_sql("SELECT pg_backend_pid()").scalar_one()
    with other.read() as connection:
        connection.exec_driver_sql(f"SELECT pg_terminate_backend({pid}, 5000)")
    with database.write() as connection:
        assert connection.exec_driver_sql("SELECT pg_backend_pid()").scalar_one() != pid
    database.dispose()
    other.dispose()


def test_a_cut_connection_and_a_server_that_is_not_there_are_known_as_such(
    postgresql_base_url: str,
) -> None:
    database = Database(postgresql_base_url)
    with pytest.raises(DatabaseCutError), database.write() as connection:
        connection.exec_driver_sql("SELECT pg_terminate_backend(pg_backend_pid())")
    with pytest.raises(DatabaseError) as caught, database.write() as connection:
        connection.exec_driver_sql("SELECT 1 / 0")
    assert not isinstance(caught.value, DatabaseCutError)
    database.dispose()
    nowhere = Database("postgresql+psycopg://nobody@127.0.0.1:1/nothing")
    with pytest.raises(DatabaseCutError), nowhere.read():
        pass
