"""Which workers are alive: each says so every few seconds, and is forgotten when it falls silent.

Their rows are duties that nobody else can take, named after the worker.
"""

import hashlib
import json
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import timedelta

from sqlalchemy import Connection, delete, insert, select

from db.failures import reading_rows
from db.queue.claims import database_now
from db.schema import duty
from db.states import Step

ALIVE = "alive "
"""How the names of these duties begin."""


@dataclass(frozen=True)
class AliveWorker:
    """A process that works on the queue."""

    identity: str
    """As `worker.identity` writes it."""
    steps: tuple[Step, ...] = tuple(Step)
    """What it does to chunks."""
    run_ids: tuple[int, ...] | None = None
    """The only runs that it works on, as `castline tag` does; None for any."""

    def takes(self, run_id: int) -> bool:
        """Whether it works on a run, sooner or later."""
        return self.run_ids is None or run_id in self.run_ids

    @property
    def duty(self) -> str:
        """The name of its duty."""
        digest = hashlib.sha256(f"{self.identity} {self.steps}".encode()).hexdigest()
        return f"{ALIVE}{digest[:24]}"


def tell_alive(connection: Connection, worker: AliveWorker, lease_seconds: float) -> None:
    """Says that a worker is alive, and forgets those that have been silent for too long.

    Args:
        connection: A connection inside a write transaction.
        worker: Who.
        lease_seconds: For how long others may believe it.
    """
    now = database_now(connection)
    told = json.dumps([worker.identity, worker.steps, worker.run_ids])
    connection.execute(
        delete(duty).where(
            duty.c.name.startswith(ALIVE),
            (duty.c.lease_until < now) | (duty.c.name == worker.duty),
        )
    )
    connection.execute(
        insert(duty).values(
            name=worker.duty,
            worker=told,
            lease_until=now + timedelta(seconds=lease_seconds),
        )
    )


def tell_gone(connection: Connection, worker: AliveWorker) -> None:
    """Forgets a worker that ends."""
    connection.execute(delete(duty).where(duty.c.name == worker.duty))


@reading_rows()
def alive_workers(connection: Connection) -> list[AliveWorker]:
    """The workers that were heard of lately, in the order of their identities."""
    rows: Sequence[str] = (
        connection.execute(
            select(duty.c.worker).where(
                duty.c.name.startswith(ALIVE), duty.c.lease_until > database_now(connection)
            )
        )
        .scalars()
        .all()
    )
    found = []
    for identity, steps, run_ids in sorted(map(json.loads, rows), key=lambda row: (row[0], row[1])):
        runs = None if run_ids is None else tuple(run_ids)
        found.append(AliveWorker(identity, tuple(map(Step, steps)), runs))
    return found
