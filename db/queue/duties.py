"""Duties for one worker at a time among all that share the database."""

from datetime import timedelta

from sqlalchemy import Connection, delete, select

from db.engine import insert_ignoring_conflict
from db.queue.claims import database_now
from db.schema import duty


def take_duty(connection: Connection, name: str, worker: str, lease_seconds: float) -> bool:
    """Acquire or renew a duty; return False while another worker holds it.

    Args:
        connection: A connection inside a write transaction.
        name: Name of the duty.
        worker: Identity of the worker, from `worker.identity`.
        lease_seconds: Duration of the lease without renewal.
    """
    now = database_now(connection)
    until = now + timedelta(seconds=lease_seconds)
    connection.execute(
        insert_ignoring_conflict(connection, duty).values(
            name=name, worker=worker, lease_until=until
        )
    )
    row = connection.execute(select(duty).where(duty.c.name == name).with_for_update()).one()
    if row.worker != worker and row.lease_until > now:
        return False
    connection.execute(
        duty.update().where(duty.c.name == name).values(worker=worker, lease_until=until)
    )
    return True


def leave_duty(connection: Connection, name: str, worker: str) -> None:
    """Release a duty immediately."""
    connection.execute(delete(duty).where(duty.c.name == name, duty.c.worker == worker))
