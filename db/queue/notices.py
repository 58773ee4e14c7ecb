"""Ends of runs that somebody is to be told of: kept until that was done, or was given up."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import timedelta

from sqlalchemy import Connection, delete, insert, select, update

from db.queue.claims import database_now
from db.schema import notice


@dataclass(frozen=True)
class Notice:
    """The end of a run, and how often telling it was tried before."""

    run_id: int
    attempts: int


def add_notice(connection: Connection, run_id: int) -> None:
    """Keeps the end of a run to be told; that of an earlier end gives way."""
    drop_notice(connection, run_id)
    connection.execute(
        insert(notice).values(run_id=run_id, attempts=0, due_at=database_now(connection))
    )


def claim_notice(connection: Connection, pause_seconds: Sequence[float]) -> Notice | None:
    """Takes the notice that is due first, which nobody else is given for a while.

    Args:
        connection: A connection inside a write transaction.
        pause_seconds: How long it is kept from others, by how often it was tried before.
    """
    now = database_now(connection)
    due = (
        select(notice)
        .where(notice.c.due_at <= now)
        .order_by(notice.c.due_at, notice.c.run_id)
        .limit(1)
        .with_for_update(skip_locked=True)
    )
    row = connection.execute(due).one_or_none()
    if row is None:
        return None
    pause = pause_seconds[min(row.attempts, len(pause_seconds) - 1)]
    connection.execute(
        update(notice)
        .where(notice.c.run_id == row.run_id)
        .values(attempts=row.attempts + 1, due_at=now + timedelta(seconds=pause))
    )
    return Notice(row.run_id, row.attempts)


def drop_notice(connection: Connection, run_id: int) -> None:
    """Forgets a notice: it was told, or given up."""
    connection.execute(delete(notice).where(notice.c.run_id == run_id))
