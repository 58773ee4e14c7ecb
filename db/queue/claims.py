"""The queue of record: claims of chunks by workers, and their outcomes.

A claim carries a fencing token. Every later claim of the chunk raises the token, and every write
that ends a claim is conditional on it, so a worker that lost its lease cannot write. Each function
takes an open connection: the caller decides what shares its transaction.
"""

import secrets
from collections.abc import Callable, Collection, Sequence
from dataclasses import fields
from datetime import UTC, datetime, timedelta
from functools import cache
from typing import Any

from sqlalchemy import (
    Connection,
    Integer,
    Row,
    Select,
    Update,
    and_,
    bindparam,
    func,
    insert,
    select,
    text,
    update,
)

from db.locks import lock_episodes_of_runs, lock_run
from db.queue.free import IS_OF_RUNS, free_chunks
from db.records import Claim
from db.schema import chunk, run
from db.states import OPEN_CHUNK_STATES, OPEN_RUN_STATES, ChunkState, Outcome, RunState

FAILURES_BEFORE_SPLIT = 2
"""A chunk that failed twice is split, so that the cause affects little else."""

FAILURES_BEFORE_QUARANTINE = 4
"""Twice whole and twice as a half: another attempt would tell nothing new."""

LOSSES_BEFORE_QUARANTINE = 16
"""A vanished worker proves nothing against its chunk, since it may have been killed by hand; but
for the smallest piece of one chunk this many losses are no coincidence."""


def database_now(connection: Connection) -> datetime:
    """Return the time of the one clock that all workers share: the server's, or this machine's."""
    if connection.dialect.name == "sqlite":
        return datetime.now(UTC)
    moment = connection.execute(select(func.clock_timestamp())).scalar_one()
    assert isinstance(moment, datetime)
    # In UTC: adding a minute to the server's local time fails when daylight saving time changes.
    return moment.astimezone(UTC)


def claim_chunks(
    connection: Connection,
    state: ChunkState,
    worker: str,
    lease_seconds: float,
    *,
    limit: int = 1,
    run_ids: Sequence[int] | None = None,
    chunk_id: int | None = None,
) -> list[Claim]:
    """Claim up to `limit` free chunks in `state`, in the order of `free_chunks`.

    Args:
        connection: A connection inside a write transaction.
        state: `queued` to extract, `extracted` to classify.
        worker: Identity of the worker, from `worker.identity`.
        lease_seconds: How long the claim holds without renewal.
        limit: Maximum number of chunks.
        run_ids: Only chunks of these runs; None for any run.
        chunk_id: Only free chunks of this chunk's group: the chunk itself, and those that never
            failed, since a failing one would affect the others. If the chunk failed itself, it
            alone.

    Returns:
        The claims.
    """
    free = _claimable_chunks(state, run_ids is not None, chunk_id is not None)
    values = {"most": limit, "run_ids": run_ids, "chunk_id": chunk_id}
    rows = connection.execute(free, values).all()
    if not rows:
        return []
    claimed: dict[str, object] = {"chunk_ids": [row.id for row in rows], "who": worker}
    if connection.dialect.name == "sqlite":
        claimed["until"] = database_now(connection) + timedelta(seconds=lease_seconds)
    else:
        claimed["seconds"] = lease_seconds
    connection.execute(_claim_statement(connection.dialect.name), claimed)
    if queued := {row.run_id for row in rows if row.run_state is RunState.QUEUED}:
        _start_runs(connection, queued)
    return [_claim(row, token=row.token + 1, attempts=row.attempts + 1) for row in rows]


@cache
def _claim_statement(dialect: str) -> Update:
    # A server evaluates its own clock, as `database_now` would.
    server_until = func.clock_timestamp() + bindparam("seconds") * text("interval '1 second'")
    return (
        update(chunk)
        .where(chunk.c.id.in_(bindparam("chunk_ids", expanding=True)))
        .values(
            token=chunk.c.token + 1,
            attempts=chunk.c.attempts + 1,
            lease_until=bindparam("until") if dialect == "sqlite" else server_until,
            worker=bindparam("who"),
        )
    )


@cache
def _claimable_chunks(state: ChunkState, of_runs: bool, of_group: bool) -> Select[Any]:
    wanted = [chunk.c[field.name] for field in fields(Claim) if field.name != "chunk_id"]
    free = free_chunks(state, of_runs=of_runs, of_group=of_group).with_only_columns(
        chunk.c.id, *wanted, run.c.state.label("run_state")
    )
    return free.limit(bindparam("most", type_=Integer)).with_for_update(skip_locked=True, of=chunk)


def _start_runs(connection: Connection, run_ids: Collection[int]) -> None:
    # A holder of a run's row locks its chunks' rows next; here the order is opposite, so a locked
    # row is skipped: its holder also starts the run, or cancels it.
    startable = (
        select(run.c.id)
        .where(run.c.id.in_(run_ids), run.c.state == RunState.QUEUED)
        .with_for_update(skip_locked=True)
    )
    connection.execute(
        update(run)
        .where(run.c.id.in_(startable))
        .values(
            state=RunState.RUNNING,
            started_at=func.coalesce(run.c.started_at, database_now(connection)),
        )
    )


def begin_claim(connection: Connection, state: ChunkState) -> None:
    """Begin a transaction that only claims, and reads the claimed chunks.

    Claims to extract wait for each other until they commit, so that they can be counted. On SQLite
    every write transaction does so anyway. On PostgreSQL they lock a table, which a read-only role
    cannot do; anybody may take advisory locks.

    PostgreSQL does not wait for its disk at the end (asynchronous commit): if the server crashes,
    claims of its last fraction of a second may be lost, as if they had not been made. The worker
    continues, and the next claim of the chunk has the same token; of the two, the one that ends
    first is written, and the other finds the chunk in another state, unclaimed, or with a later
    token. Both are for the same range, since a change of the range is written after the claim, and
    would have been lost with it or kept it. So a crash may cause duplicate work, but never a wrong
    row.
    """
    if connection.dialect.name != "sqlite":
        connection.execute(_BEGIN_CLAIM[state])


_BEGIN_CLAIM = {
    # One round trip to the server. This is the weakest mode that conflicts with itself: rows of the
    # table can be read and written meanwhile.
    ChunkState.QUEUED: text(
        "SET LOCAL synchronous_commit = off; LOCK TABLE duty IN SHARE UPDATE EXCLUSIVE MODE"
    ),
    ChunkState.EXTRACTED: text("SET LOCAL synchronous_commit = off"),
}


def renew_claim(connection: Connection, claim: Claim, lease_seconds: float) -> bool:
    """Renew a lease; return False when the claim is lost and the work should stop."""
    until = database_now(connection) + timedelta(seconds=lease_seconds)
    still_wanted = select(run.c.id).where(run.c.state.in_(OPEN_RUN_STATES))
    return _update_held(
        connection,
        claim,
        {"lease_until": until},
        extra=chunk.c.run_id.in_(still_wanted),
    )


def release_claim(connection: Connection, claim: Claim) -> bool:
    """Release a chunk unchanged; the attempt does not count against it."""
    return _update_held(connection, claim, {"attempts": claim.attempts - 1} | FREE)


def fail_claim(
    connection: Connection,
    claim: Claim,
    error: str,
    *,
    lost: bool,
    split_at: int | None,
    extract_again: bool = False,
) -> Outcome:
    """Record a failed attempt and decide what happens to the chunk.

    Args:
        connection: A connection inside a write transaction.
        claim: The failed attempt.
        error: One line that describes the failure.
        lost: The worker vanished or was killed, which proves nothing against the chunk.
        split_at: The pts at which the chunk can be split; None if it cannot.
        extract_again: The frame store is the cause: start again from the episode file.

    Returns:
        The outcome for the chunk.
    """
    # The run may end with this.
    lock_episodes_of_runs(connection, [claim.run_id])
    lock_run(connection, claim.run_id)
    losses = claim.losses + int(lost)
    failures = claim.attempts - losses
    if failures >= FAILURES_BEFORE_QUARANTINE or losses >= LOSSES_BEFORE_QUARANTINE:
        values = {"state": ChunkState.QUARANTINED, "error": error, "losses": losses} | FREE
        if not _update_held(connection, claim, values):
            return Outcome.NOT_HELD
        connection.execute(
            update(run).where(run.c.id == claim.run_id).values(chunks_done=run.c.chunks_done + 1)
        )
        return Outcome.QUARANTINED
    values = {"error": error, "losses": losses} | FREE
    if extract_again:
        values["state"] = ChunkState.QUEUED
    splits = split_at is not None and claim.attempts % FAILURES_BEFORE_SPLIT == 0
    if splits:
        values |= {"state": ChunkState.QUEUED, "end_pts": split_at}
    if not _update_held(connection, claim, values):
        return Outcome.NOT_HELD
    if splits:
        assert split_at is not None
        _add_half(connection, claim, split_at, error, losses)
        return Outcome.SPLIT
    return Outcome.OFFERED


def lost_claims(connection: Connection, is_dead: Callable[[str], bool]) -> list[Claim]:
    """Return the claims whose lease has expired, or whose worker is known to be dead.

    Args:
        connection: An open connection.
        is_dead: Tells by a worker's identity whether it is certainly no longer running.
    """
    now = database_now(connection)
    held = select(chunk).where(chunk.c.worker.is_not(None), chunk.c.state.in_(OPEN_CHUNK_STATES))
    return [
        _claim(row)
        for row in connection.execute(held)
        if row.lease_until is None or row.lease_until < now or is_dead(row.worker)
    ]


def has_open_chunk(connection: Connection, run_id: int) -> bool:
    """Tell by the run's progress whether a chunk still waits for a step, claimed or not."""
    return bool(connection.execute(_IS_INCOMPLETE, {"run_id": run_id}).scalar_one())


_IS_INCOMPLETE = select(run.c.chunks_done < run.c.chunks_total).where(
    run.c.id == bindparam("run_id")
)


def open_chunk_count(connection: Connection, run_ids: Sequence[int] | None = None) -> int:
    """Return how many chunks of open runs still wait for a step, claimed or not."""
    count = _count_open(run_ids is not None)
    return connection.execute(count, {"run_ids": run_ids}).scalar_one()


@cache
def _count_open(of_runs: bool) -> Select[int]:
    count = (
        select(func.count())
        .select_from(chunk.join(run, run.c.id == chunk.c.run_id))
        .where(chunk.c.state.in_(OPEN_CHUNK_STATES), run.c.state.in_(OPEN_RUN_STATES))
    )
    return count.where(IS_OF_RUNS) if of_runs else count


def first_token() -> int:
    """Return a random first token for a new chunk.

    SQLite reuses the id of a removed chunk for a new one, which a claim of the old one must not
    match.
    """
    return secrets.randbelow(_FIRST_TOKENS)


_FIRST_TOKENS = 1 << 30
"""Half of the column's range: the rest is for claims."""


FREE: dict[str, object] = {"worker": None, "lease_until": None}
"""The columns of an unclaimed chunk."""


def _update_held(
    connection: Connection, claim: Claim, values: dict[str, object], extra: object = None
) -> bool:
    held = and_(
        chunk.c.id == claim.chunk_id,
        chunk.c.token == claim.token,
        chunk.c.state == claim.state,
        chunk.c.worker.is_not(None),
    )
    if extra is not None:
        held = and_(held, extra)  # type: ignore[arg-type]
    return connection.execute(update(chunk).where(held).values(values)).rowcount == 1


def _add_half(
    connection: Connection, claim: Claim, start_pts: int, error: str, losses: int
) -> None:
    last = connection.execute(
        select(func.max(chunk.c.number)).where(chunk.c.run_id == claim.run_id)
    ).scalar_one()
    connection.execute(
        insert(chunk).values(
            run_id=claim.run_id,
            number=last + 1,
            start_pts=start_pts,
            end_pts=claim.end_pts,
            state=ChunkState.QUEUED,
            attempts=claim.attempts,
            losses=losses,
            token=first_token(),
            error=error,
            frames_decoded=0,
            decode_errors=0,
            missing="[]",
        )
    )
    connection.execute(
        update(run).where(run.c.id == claim.run_id).values(chunks_total=run.c.chunks_total + 1)
    )


def _claim(row: Row[Any], **changed: int) -> Claim:
    values = {
        "run_id": row.run_id,
        "state": row.state,
        "token": row.token,
        "start_pts": row.start_pts,
        "end_pts": row.end_pts,
        "attempts": row.attempts,
        "losses": row.losses,
    }
    return Claim(chunk_id=row.id, **(values | changed))
