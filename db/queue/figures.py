"""The length of the queue and its waiting time, for monitoring."""

from dataclasses import dataclass

from sqlalchemy import Connection, func, select

from db.queue.claims import database_now
from db.schema import chunk, run
from db.states import OPEN_CHUNK_STATES, OPEN_RUN_STATES, ChunkState


@dataclass(frozen=True)
class QueueFigures:
    """The amount of work in the queue."""

    waiting: dict[ChunkState, int]
    """Unclaimed chunks of open runs, by their state: `queued` or `extracted`."""
    claimed: int
    """Claimed chunks."""
    quarantined: int
    """Quarantined chunks of all runs."""
    oldest_unclaimed_seconds: float
    """Time since the run of the oldest unclaimed chunk was queued; 0 where none waits."""


def queue_figures(connection: Connection) -> QueueFigures:
    """Count chunks, without reading the tagged ones, which are by far the most."""
    waiting = dict.fromkeys(OPEN_CHUNK_STATES, 0)
    claimed, oldest = 0, None
    rows = connection.execute(
        select(
            chunk.c.state,
            chunk.c.worker.is_(None).label("is_free"),
            func.count().label("chunks"),
            func.min(run.c.queued_at).label("queued_at"),
        )
        .join(run, run.c.id == chunk.c.run_id)
        .where(chunk.c.state.in_(OPEN_CHUNK_STATES), run.c.state.in_(OPEN_RUN_STATES))
        .group_by(chunk.c.state, chunk.c.worker.is_(None))
    )
    for row in rows:
        if row.is_free:
            waiting[row.state] = row.chunks
            oldest = row.queued_at if oldest is None else min(oldest, row.queued_at)
        else:
            claimed += row.chunks
    quarantined = connection.execute(
        select(func.count()).select_from(chunk).where(chunk.c.state == ChunkState.QUARANTINED)
    ).scalar_one()
    now = database_now(connection)
    return QueueFigures(
        waiting=waiting,
        claimed=claimed,
        quarantined=quarantined,
        oldest_unclaimed_seconds=0.0 if oldest is None else (now - oldest).total_seconds(),
    )
