"""Saying that this process works on the queue, and knowing who else does."""

from collections.abc import Sequence
from contextlib import suppress

from db.engine import Database, Transaction
from db.errors import DatabaseError
from db.queue.alive import AliveWorker, alive_workers, tell_alive, tell_gone
from db.retrying import retry_on_disconnect
from db.states import Step
from worker.identity import is_dead

LEASE_SECONDS = 30.0
"""Six times as long as between two words of a worker, which a busy disk may hold up."""


@retry_on_disconnect
def say_alive(database: Database, worker: AliveWorker) -> None:
    """Says that a worker is alive, for a while."""
    with database.write() as connection:
        tell_alive(connection, worker, LEASE_SECONDS)


def say_gone(database: Database, worker: AliveWorker) -> None:
    """Says that a worker ends; where the database does not answer, it is forgotten by itself."""
    with suppress(DatabaseError), database.write() as connection:
        tell_gone(connection, worker)


def living_workers(connection: Transaction) -> list[AliveWorker]:
    """The workers that are alive, without those of this machine that are known to be dead."""
    return [worker for worker in alive_workers(connection) if not is_dead(worker.identity)]


def steps_without_worker(workers: Sequence[AliveWorker], run_id: int) -> tuple[Step, ...]:
    """The steps of a run that none of these workers does, sooner or later."""
    done = {step for worker in workers if worker.takes(run_id) for step in worker.steps}
    return tuple(step for step in Step if step not in done)
