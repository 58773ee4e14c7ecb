"""Transactions that meet on PostgreSQL, where each row has a lock of its own."""

import threading
from collections.abc import Callable, Iterator

import pytest
from sqlalchemy import text

from db.changes.promotions import GateReport, promote_model, roll_back, use_bundled
from db.changes.writes import cancel_run, finish_run
from db.engine import LONGEST_IDLE_SECONDS, Database, Transaction
from db.errors import DatabaseCutError
from db.library.runs import current_run_of, get_run, list_runs
from db.locks import lock_episodes, lock_run
from db.questions.appearances import shared_time
from db.queue.claims import begin_claim, claim_chunks
from db.queue.completing import complete_extractions
from db.records import Claim, ExtractedChunk, ModelVersionRecord
from db.retrying import retry_on_disconnect
from db.states import ChunkState, RunState
from db.upgrade import upgrade_database
from tests.rows.records import (
    APPEARANCE,
    end_run,
    made_appearance,
    made_episode,
    made_model,
    make_run,
)
from tests.servers.databases import downgrade_database, new_postgresql_url
from tests.waiting import wait_until

pytestmark = pytest.mark.integration

ROUNDS = 25
"""Without the order of locks that the code keeps, one round in two or three ends in a deadlock."""


@pytest.fixture
def postgresql(postgresql_base_url: str) -> Iterator[Database]:
    database = Database(new_postgresql_url(postgresql_base_url))
    upgrade_database(database)
    yield database
    database.dispose()


def idle_limit(connection: Transaction) -> str:
    return str(connection.exec_driver_sql("SHOW idle_in_transaction_session_timeout").scalar_one())


def is_waiting_for_a_lock(database: Database) -> bool:
    """Whether somebody is, in this database."""
    query = (
        "SELECT count(*) FROM pg_stat_activity"
        " WHERE wait_event_type = 'Lock' AND datname = current_database()"
    )
    with database.read() as connection:
        return int(connection.exec_driver_sql(query).scalar_one()) > 0


def test_who_stands_still_in_a_transaction_holds_others_up_for_a_while_only(
    postgresql: Database,
) -> None:
    run_id = make_run(postgresql)

    def stand_still() -> None:
        with postgresql.write() as standing_still, postgresql.read() as reading:
            assert idle_limit(standing_still) == f"{LONGEST_IDLE_SECONDS:g}s"
            assert idle_limit(reading) == "0"  # it holds up nobody
            assert list_runs(reading)
            lock_run(standing_still, run_id)
            # From the next moment on it stands still; half a minute of that would be long here.
            standing_still.exec_driver_sql("SET idle_in_transaction_session_timeout = '0.2s'")
            with postgresql.write() as connection:  # waits until the server lets go of the lock
                assert cancel_run(connection, run_id) == "cancelled"
            assert list_runs(reading)[0].state == "queued"  # as it was when this reader began
            cancel_run(standing_still, run_id)

    with pytest.raises(DatabaseCutError):
        stand_still()
    with postgresql.read() as connection:
        assert get_run(connection, run_id).state == "cancelled"


def at_once(database: Database, *works: Callable[[Transaction], object]) -> None:
    """Runs each in a transaction and a thread of its own, all from the same moment."""
    together = threading.Barrier(len(works))
    errors: list[BaseException] = []

    def run(work: Callable[[Transaction], object]) -> None:
        try:
            with database.write() as connection:
                together.wait()
                work(connection)
        except BaseException as error:  # the test reports it
            errors.append(error)

    threads = [threading.Thread(target=run, args=(work,)) for work in works]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert errors == []


def finish(run_id: int, episode_id: int) -> Callable[[Transaction], object]:
    def end(connection: Transaction) -> None:
        lock_episodes(connection, [episode_id])
        finish_run(
            connection,
            run_id=run_id,
            episode_id=episode_id,
            state=RunState.DONE,
            frames=10,
            decode_errors=0,
            missing=(),
            error=None,
            appearances=[APPEARANCE],
        )

    return end


def test_two_runs_of_one_episode_that_end_together_take_turns(postgresql: Database) -> None:
    first = make_run(postgresql)
    trial = make_run(postgresql, model=made_model("d" * 64, "2", year=2027))
    for _ in range(ROUNDS):
        at_once(postgresql, finish(first, 1), finish(trial, 1))
    with postgresql.read() as connection:
        current = current_run_of(connection, 1)
    assert current is not None
    assert current.id == first


def test_a_cancel_that_meets_the_first_claim_of_its_run_leaves_nothing_claimed(
    postgresql: Database,
) -> None:
    for number in range(ROUNDS):
        run_id = make_run(postgresql, model=made_model(f"{number:064d}"))
        at_once(
            postgresql,
            lambda connection, run_id=run_id: cancel_run(connection, run_id),  # type: ignore[misc]
            lambda connection: claim_chunks(connection, ChunkState.QUEUED, "w/1/1.0", 60, limit=6),
        )
        with postgresql.write() as connection:
            assert get_run(connection, run_id).state == "cancelled"
            assert (
                claim_chunks(connection, ChunkState.QUEUED, "w/2/1.0", 60, run_ids=[run_id]) == []
            )


@pytest.mark.parametrize("state", [ChunkState.QUEUED, ChunkState.EXTRACTED])
def test_only_the_commit_of_a_claim_does_not_wait_for_the_disk(
    state: ChunkState, postgresql: Database
) -> None:
    for begins, expected in ((True, "off"), (False, "on")):
        with postgresql.write() as connection:
            if begins:
                begin_claim(connection, state)
            shown = connection.exec_driver_sql("SHOW synchronous_commit").scalar_one()
            assert shown == expected


def test_the_end_of_a_group_waits_for_a_cancel_and_holds_none_of_its_chunks(
    postgresql: Database,
) -> None:
    run_id = make_run(postgresql)
    with postgresql.write() as connection:
        claims = claim_chunks(connection, ChunkState.QUEUED, "w/1/1.0", 60, limit=4)
    ended: list[list[Claim]] = []

    def end() -> None:
        extracted = dict.fromkeys(claims, ExtractedChunk((0,), 10, 0, ()))
        with postgresql.write() as connection:
            ended.append(complete_extractions(connection, extracted))

    thread = threading.Thread(target=end)
    with postgresql.write() as connection:
        lock_run(connection, run_id)
        thread.start()
        wait_until(lambda: is_waiting_for_a_lock(postgresql))
        assert cancel_run(connection, run_id) == "cancelled"
    thread.join()
    assert ended == [[]]


def test_a_promotion_that_meets_the_end_of_a_run_of_its_model_shows_that_run(
    postgresql: Database,
) -> None:
    with postgresql.write() as connection:
        use_bundled(connection, made_model())
    for number in range(ROUNDS):
        model = made_model(f"{number:064d}", f"new{number}")
        episode = made_episode(f"{number + 1000:064d}")
        old = make_run(postgresql, episode=episode)
        new = make_run(postgresql, episode=episode, model=model)
        with postgresql.read() as connection:
            episode_id = get_run(connection, new).episode_id
        at_once(postgresql, finish(old, episode_id))

        def promotes(connection: Transaction, model: ModelVersionRecord = model) -> object:
            return promote_model(connection, model, GateReport())

        at_once(postgresql, finish(new, episode_id), promotes)
        with postgresql.read() as connection:
            current = current_run_of(connection, episode_id)
        assert current is not None
        assert current.id == new
        with postgresql.write() as connection:
            roll_back(connection)
        with postgresql.read() as connection:
            current = current_run_of(connection, episode_id)
        assert current is not None
        assert current.id == old


def test_pairs_are_put_in_code_point_order_whatever_the_servers_language(
    postgresql: Database,
) -> None:
    """Python puts them in order, whose strings compare by code points."""
    run_id = make_run(postgresql)
    end_run(postgresql, run_id, [made_appearance("abe"), made_appearance("Zoe")])
    with postgresql.read() as connection:
        pairs = connection.execute(text("SELECT label, other FROM run_pair")).all()
        assert [*map(tuple, pairs)] == [("Zoe", "abe")]
        assert [item.times for item in shared_time(connection, ("abe", "Zoe"))] == [1]


def test_pairs_in_another_order_are_put_in_order_by_the_upgrade(postgresql: Database) -> None:
    run_id = make_run(postgresql)
    end_run(postgresql, run_id, [made_appearance("Zoe"), made_appearance("abe")])
    with postgresql.write() as connection:
        connection.execute(text("UPDATE run_pair SET label = other, other = label"))
    downgrade_database(postgresql, "0005")
    assert upgrade_database(postgresql)
    with postgresql.read() as connection:
        assert [item.times for item in shared_time(connection, ("Zoe", "abe"))] == [1]


def test_who_is_ended_by_the_server_where_two_wait_for_each_other_begins_anew(
    postgresql: Database,
) -> None:
    one, other = make_run(postgresql), make_run(postgresql, made_episode("e" * 64))
    together, tries = threading.Barrier(2), list[int]()

    @retry_on_disconnect
    def lock_both(first: int, second: int) -> None:
        tries.append(first)
        with postgresql.write() as connection:
            lock_run(connection, first)
            if len(tries) <= 2:
                together.wait()
            lock_run(connection, second)

    threads = [
        threading.Thread(target=lock_both, args=order) for order in ((one, other), (other, one))
    ]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert len(tries) == 3
