"""Groups of free chunks by step and lane, to be offered to workers."""

import json
from dataclasses import dataclass
from functools import cache
from typing import Any

from sqlalchemy import Connection, Integer, Select, bindparam

from db.failures import reading_rows
from db.queue.free import CHUNKS_PER_GROUP, free_chunks, group_number
from db.records import Claim
from db.schema import chunk, model_version, run
from db.states import ChunkState, Lane


@dataclass(frozen=True)
class WaitingChunk:
    """An extracted, unclaimed chunk."""

    model_sha256: str
    frames: int


def offered_groups(
    connection: Connection, state: ChunkState, lane: Lane, limit: int, beyond: int = 0
) -> list[int]:
    """Return a chunk of each group among the first `limit` free chunks in a state and a lane.

    Args:
        connection: An open connection.
        state: `queued` to extract, `extracted` to classify.
        lane: The lane.
        limit: How many chunks may be offered.
        beyond: How many were offered before; groups that begin among those are left out.

    Returns:
        The ids of the chunks, in the order of claims. A chunk that failed before stands for itself.
    """
    skipped = max(beyond - CHUNKS_PER_GROUP, 0)
    values = {"lane": lane, "most": max(limit - skipped, 0), "skipped": skipped}
    rows = connection.execute(_free_chunks_of_lane(state), values)
    first: dict[tuple[int, ...], tuple[int, int]] = {}
    for place, (chunk_id, run_id, group, attempts) in enumerate(rows, skipped):
        first.setdefault((chunk_id,) if attempts else (run_id, group), (place, chunk_id))
    return [chunk_id for place, chunk_id in first.values() if place >= beyond]


@cache
def _free_chunks_of_lane(state: ChunkState) -> Select[Any]:
    return (
        free_chunks(state)
        .with_only_columns(
            chunk.c.id, chunk.c.run_id, group_number(chunk.c.number), chunk.c.attempts
        )
        .where(run.c.lane == bindparam("lane", type_=run.c.lane.type))
        .order_by(None)  # within one lane, this is the order of claims
        .order_by(chunk.c.run_id, chunk.c.start_pts)
        .limit(bindparam("most", type_=Integer))
        .offset(bindparam("skipped", type_=Integer))
    )


def free_beside(connection: Connection, claim: Claim) -> int | None:
    """Return the id of a free chunk of a claimed chunk's group, if there is one."""
    free = free_chunks(claim.state, of_group=True).with_only_columns(chunk.c.id).limit(1)
    return connection.execute(free, {"chunk_id": claim.chunk_id}).scalar_one_or_none()


@reading_rows()
def waiting_chunk(connection: Connection, chunk_id: int) -> WaitingChunk | None:
    """Return the properties needed to classify a chunk or its group; None if none is left."""
    row = connection.execute(_WAITING, {"chunk_id": chunk_id}).one_or_none()
    return None if row is None else WaitingChunk(row.sha256, len(json.loads(row.sampled_pts)))


_WAITING = (
    free_chunks(ChunkState.EXTRACTED, of_group=True)
    .with_only_columns(chunk.c.sampled_pts, model_version.c.sha256)
    .join(model_version, model_version.c.id == run.c.model_version_id)
    .limit(1)
)
