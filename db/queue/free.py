"""Free chunks: the order and the groups in which they are claimed, and how many are ahead."""

from collections.abc import Sequence
from functools import cache
from typing import Any

from sqlalchemy import (
    ColumnElement,
    Connection,
    Integer,
    Select,
    and_,
    bindparam,
    func,
    not_,
    or_,
    select,
    union_all,
)

from db.schema import chunk, run
from db.states import OPEN_RUN_STATES, ChunkState, Lane, RunState

CHUNKS_PER_GROUP = 12
"""Chunks of a run that are announced and claimed together: they share the queue's overhead, and a
killed worker loses about half a minute. Groups follow the chunks' numbers (0 to 11, 12 to 23, ...),
so that a worker notified of any chunk of a group finds the rest of it."""

IS_OF_RUNS = chunk.c.run_id.in_(bindparam("run_ids", expanding=True))
"""Restricts to the runs bound to `run_ids` when the statement is executed."""


@cache
def free_chunks(state: ChunkState, *, of_runs: bool = False, of_group: bool = False) -> Select[Any]:
    """Select free chunks in a state: interactive runs first, then the oldest run, in order of time.

    Statements are cached: constructing one takes as long as executing it.

    Args:
        state: `queued` or `extracted`.
        of_runs: Only chunks of the runs bound to `run_ids` on execution.
        of_group: Only chunks to claim for the announced chunk that is bound to `chunk_id`.
    """
    free = (
        select(chunk)
        .join(run, run.c.id == chunk.c.run_id)
        .where(chunk.c.state == state, chunk.c.worker.is_(None), run.c.state.in_(OPEN_RUN_STATES))
        .order_by(run.c.lane == Lane.BULK, chunk.c.run_id, chunk.c.start_pts)
    )
    if of_runs:
        free = free.where(IS_OF_RUNS)
    return free.where(_is_in_group(state)) if of_group else free


def _is_in_group(state: ChunkState) -> ColumnElement[bool]:
    told = chunk.alias("told")
    failed = and_(told.c.state == state, told.c.worker.is_(None), told.c.attempts > 0)
    is_beside = and_(
        group_number(told.c.number) == group_number(chunk.c.number),
        chunk.c.attempts == 0,
        not_(failed),
    )
    of_told = select(told.c.id).where(told.c.id == bindparam("chunk_id"))
    return and_(
        # Redundant, so that only this run's chunks are read.
        chunk.c.run_id == of_told.with_only_columns(told.c.run_id).scalar_subquery(),
        of_told.where(or_(told.c.id == chunk.c.id, is_beside)).correlate(chunk).exists(),
    )


def group_number(number: ColumnElement[int]) -> ColumnElement[int]:
    """Return the number of a chunk's group in its run."""
    return number // CHUNKS_PER_GROUP


def has_free_chunk(
    connection: Connection, state: ChunkState, run_ids: Sequence[int] | None = None
) -> bool:
    """Tell whether `claim_chunks` would find any: polled by idle workers, without a write lock."""
    free = free_chunks(state, of_runs=run_ids is not None).order_by(None).limit(1)
    return connection.execute(free, {"run_ids": run_ids}).first() is not None


def chunks_ahead(connection: Connection, at_most: int, run_ids: Sequence[int] | None = None) -> int:
    """Count chunks extracted or being extracted and not yet tagged, up to `at_most`."""
    count = _count_ahead(run_ids is not None)
    found = connection.execute(count, {"most": at_most, "run_ids": run_ids}).scalar_one()
    return min(found, at_most)


@cache
def _count_ahead(of_runs: bool) -> Select[int]:
    extracted = and_(chunk.c.state == ChunkState.EXTRACTED, run.c.state.in_(OPEN_RUN_STATES))
    # A claim starts its run, and few runs are in progress: thousands may wait, whose chunks are not
    # read.
    being_extracted = and_(
        chunk.c.state == ChunkState.QUEUED,
        chunk.c.worker.is_not(None),
        run.c.state == RunState.RUNNING,
    )
    parts = [
        select(chunk.c.id)
        .join(run, run.c.id == chunk.c.run_id)
        .where(is_ahead, *([IS_OF_RUNS] if of_runs else []))
        .limit(bindparam("most", type_=Integer))
        .subquery()
        for is_ahead in (extracted, being_extracted)
    ]
    ahead = union_all(*(select(part.c.id) for part in parts)).subquery()
    return select(func.count()).select_from(ahead)
