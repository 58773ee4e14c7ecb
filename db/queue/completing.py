"""The end of claims that succeeded: chunks go on to their next state, together where they can.

Whoever writes several chunks of a run locks the run's row first: so does who cancels the run, and
the two could each wait for a chunk of the other's.
"""

from collections.abc import Mapping, Sequence

from sqlalchemy import Connection, Integer, bindparam, select, tuple_, update

from db.queue.claims import FREE, lock_run
from db.records import Claim, ExtractedChunk
from db.schema import chunk, run
from db.states import OPEN_RUN_STATES, ChunkState
from exact.ranges import dump_ranges


def complete_extractions(
    connection: Connection, extracted: Mapping[Claim, ExtractedChunk]
) -> list[Claim]:
    """Moves chunks of one run from `queued` to `extracted`.

    Returns:
        The claims that were held still; of the others nothing is written.
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
        # This attempt did not fail; those that did still count, or a chunk whose frames can be
        # written but never read back would go round for ever.
        "attempts": claim.attempts - 1,
    }


def complete_taggings(connection: Connection, claims: Sequence[Claim]) -> list[Claim]:
    """Moves chunks of one run from `extracted` to `tagged`, and the run's progress with them.

    The run's row is locked first, so that of two workers that end the last two chunks at once
    one sees the other's chunk as ended.

    Returns:
        The claims that were held still; of the others nothing is written, and of none if the run
        was cancelled.
    """
    run_id = run_of(claims)
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
    """The one run of these claims."""
    [run_id] = {claim.run_id for claim in claims}
    return run_id


def _lock_held(connection: Connection, claims: Sequence[Claim]) -> list[Claim]:
    """The claims that are held still, whose chunks stay as they are until the transaction ends."""
    rows = connection.execute(_HELD, {"chunk_ids": [claim.chunk_id for claim in claims]})
    held = {(row.id, row.token, row.state) for row in rows}
    return [claim for claim in claims if (claim.chunk_id, claim.token, claim.state) in held]


_HELD = (
    select(chunk.c.id, chunk.c.token, chunk.c.state)
    .where(chunk.c.id.in_(bindparam("chunk_ids", expanding=True)), chunk.c.worker.is_not(None))
    .with_for_update()
)
