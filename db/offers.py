"""What may be offered to workers: free chunks by step and lane."""

import json
from dataclasses import dataclass

from sqlalchemy import Connection, select

from db.queue import free_chunks
from db.schema import chunk, model_version, run


@dataclass(frozen=True)
class WaitingChunk:
    """An extracted chunk that nobody classifies yet."""

    model_sha256: str
    frames: int


def offered_chunks(connection: Connection, state: str, lane: str, limit: int) -> list[int]:
    """The ids of up to `limit` free chunks in a state and a lane, in the order of claims."""
    wanted = free_chunks(state).where(run.c.lane == lane).limit(limit)
    return [row.id for row in connection.execute(wanted)]


def waiting_chunk(connection: Connection, chunk_id: int) -> WaitingChunk | None:
    """What it takes to classify a chunk; None if it cannot be claimed for that."""
    row = connection.execute(
        select(chunk.c.sampled_pts, model_version.c.sha256)
        .join(run, run.c.id == chunk.c.run_id)
        .join(model_version, model_version.c.id == run.c.model_version_id)
        .where(chunk.c.id == chunk_id, chunk.c.state == "extracted", chunk.c.worker.is_(None))
    ).one_or_none()
    return None if row is None else WaitingChunk(row.sha256, len(json.loads(row.sampled_pts)))
