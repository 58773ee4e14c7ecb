"""Complete claims: chunks move to their next state, together where possible.

Before writing several chunks of a run, the run's row is locked, as `db.locks` says.
"""

from collections.abc import Mapping, Sequence

from sqlalchemy import Connection, Integer, bindparam, select, tuple_, update

from db.locks import lock_episodes_of_runs, lock_run
from db.queue.claims import FREE
from db.records import Claim, ExtractedChunk
from db.schema import chunk, run
from db.states import OPEN_RUN_STATES, ChunkState
from exact.ranges import dump_ranges


def complete_extractions(
    connection: Connection, extracted: Mapping[Claim, ExtractedChunk]
) -> list[Claim]:
    """Move chunks of one run from `queued` to `extracted`.

    Returns:
        The claims that were still held; for the others nothing is written.
    """
    lock_run(connection, run_of(list(extracted)))
    held = _lock_held(connection, list(extracted))
    if held:
        rows = [_extracted_row(claim, extracted[claim]) for claim in held]
        connection.execute(_EXTRACTED, rows)
    return held


_EXTRACTED = (
    update(chunk)
    .where(chunk.c.id == bindparam("chunk_id"))
    .values(
        {
            name: bindparam(name)
            for name in (
                "sampled_pts",
                "frames_decoded",
                "is_reused",
                "decode_errors",
                "missing",
                "cuts",
                "attempts",
            )
        }
        | {"state": ChunkState.EXTRACTED, "error": None}
        | FREE
    )
)


def _extracted_row(claim: Claim, extracted: ExtractedChunk) -> dict[str, object]:
    return {
        "chunk_id": claim.chunk_id,
        "sampled_pts": "[" + ",".join(map(str, extracted.sampled_pts)) + "]",
        "frames_decoded": extracted.frames_decoded,
        "is_reused": extracted.is_reused,
        "decode_errors": extracted.decode_errors,
        "missing": dump_ranges(extracted.missing),
        "cuts": extracted.cuts,
        # This attempt did not fail; earlier failures still count, or a chunk whose frames can be
        # written but never read back would loop endlessly.
        "attempts": claim.attempts - 1,
    }


def complete_taggings(connection: Connection, claims: Sequence[Claim]) -> list[Claim]:
    """Move chunks of one run from `extracted` to `tagged`, and update the run's progress.

    The run's row is locked first, so that of two workers that complete the last two chunks
    concurrently one sees the other's chunk as completed; and before it its episode, since the run
    may end with this.

    Returns:
        The claims that were still held; for the others nothing is written, and for none if the run
        was cancelled.
    """
    run_id = run_of(claims)
    lock_episodes_of_runs(connection, [run_id])
    if lock_run(connection, run_id) not in OPEN_RUN_STATES:
        return []
    wanted = [(claim.chunk_id, claim.token) for claim in claims]
    tagged = set(connection.execute(_TAGGED, {"claims": wanted}).scalars())
    if tagged:
        connection.execute(_COUNTED, {"run_id": run_id, "more": len(tagged)})
    return [claim for claim in claims if claim.chunk_id in tagged]


_TAGGED = (
    update(chunk)
    .where(
        tuple_(chunk.c.id, chunk.c.token).in_(bindparam("claims", expanding=True)),
        chunk.c.state == ChunkState.EXTRACTED,
        chunk.c.worker.is_not(None),
    )
    .values({"state": ChunkState.TAGGED, "error": None} | FREE)
    .returning(chunk.c.id)
)

_COUNTED = (
    update(run)
    .where(run.c.id == bindparam("run_id"))
    .values(chunks_done=run.c.chunks_done + bindparam("more", type_=Integer))
)


def run_of(claims: Sequence[Claim]) -> int:
    """Return the one run of these claims."""
    [run_id] = {claim.run_id for claim in claims}
    return run_id


def _lock_held(connection: Connection, claims: Sequence[Claim]) -> list[Claim]:
    """Return the claims that are still held, and lock their chunks until the transaction ends."""
    rows = connection.execute(_HELD, {"chunk_ids": [claim.chunk_id for claim in claims]})
    held = {(row.id, row.token, row.state) for row in rows}
    return [claim for claim in claims if (claim.chunk_id, claim.token, claim.state) in held]


_HELD = (
    select(chunk.c.id, chunk.c.token, chunk.c.state)
    .where(chunk.c.id.in_(bindparam("chunk_ids", expanding=True)), chunk.c.worker.is_not(None))
    .with_for_update()
)
