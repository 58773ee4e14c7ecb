"""Which chunks are free, in what order and in what groups they are claimed, how many are ahead."""

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
"""Chunks of a run that are told of and claimed together: they share what the queue costs, and a
worker that is killed loses about half a minute. Groups follow the chunks' numbers (0 to 11, 12 to
23, ...), so that whoever hears of any chunk of a group finds what is left of it."""

IS_OF_RUNS = chunk.c.run_id.in_(bindparam("run_ids", expanding=True))
"""Of the runs that `run_ids` are bound to when the statement is executed."""


@cache
def free_chunks(state: ChunkState, *, of_runs: bool = False, of_group: bool = False) -> Select[Any]:
    """Free chunks in a state: interactive runs first, then the oldest run, in the order of time.

    Made once: to make a statement anew takes as long as to execute it.

    Args:
        state: `queued` or `extracted`.
        of_runs: Only chunks of the runs that `run_ids` are bound to when it is executed.
        of_group: Only what is to be claimed by who hears of the chunk that `chunk_id` is bound to.
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
        # Said apart, so that only this run's chunks are looked at.
        chunk.c.run_id == of_told.with_only_columns(told.c.run_id).scalar_subquery(),
        of_told.where(or_(told.c.id == chunk.c.id, is_beside)).correlate(chunk).exists(),
    )


def group_number(number: ColumnElement[int]) -> ColumnElement[int]:
    """The number of a chunk's group in its run."""
    return number // CHUNKS_PER_GROUP


def has_free_chunk(
    connection: Connection, state: ChunkState, run_ids: Sequence[int] | None = None
) -> bool:
    """Whether `claim_chunks` would find anything: asked by idle workers, who need no write lock."""
    free = free_chunks(state, of_runs=run_ids is not None).order_by(None).limit(1)
    return connection.execute(free, {"run_ids": run_ids}).first() is not None


def chunks_ahead(connection: Connection, at_most: int, run_ids: Sequence[int] | None = None) -> int:
    """How many chunks are extracted or being extracted and not yet tagged; counts to `at_most`."""
    count = _count_ahead(run_ids is not None)
    found = connection.execute(count, {"most": at_most, "run_ids": run_ids}).scalar_one()
    return min(found, at_most)


@cache
def _count_ahead(of_runs: bool) -> Select[int]:
    extracted = and_(chunk.c.state == ChunkState.EXTRACTED, run.c.state.in_(OPEN_RUN_STATES))
    # A claim starts its run, and few runs are under way: ten thousand may wait, whose chunks are
    # not looked at.
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
