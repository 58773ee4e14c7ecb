"""Duties that one worker at a time does, of all that share the database."""

from datetime import timedelta

from sqlalchemy import Connection, delete, select

from db.engine import insert_ignoring_conflict
from db.queue.claims import database_now
from db.schema import duty


def take_duty(connection: Connection, name: str, worker: str, lease_seconds: float) -> bool:
    """Takes a duty over, or prolongs it; False while another worker holds it.

    Args:
        connection: A connection inside a write transaction.
        name: Which.
        worker: Who asks, as `worker.identity` writes it.
        lease_seconds: After how long without prolongation others may take it.
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
    """Lets others have a duty at once."""
    connection.execute(delete(duty).where(duty.c.name == name, duty.c.worker == worker))
