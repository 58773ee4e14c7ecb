"""What may be offered to workers: free chunks by step and lane."""

from sqlalchemy import Connection

from db.queue import free_chunks
from db.schema import run


def offered_chunks(connection: Connection, state: str, lane: str, limit: int) -> list[int]:
    """The ids of up to `limit` free chunks in a state and a lane, in the order of claims."""
    wanted = free_chunks(state).where(run.c.lane == lane).limit(limit)
    return [row.id for row in connection.execute(wanted)]
