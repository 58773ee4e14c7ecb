"""Claims, as every step uses them: taken, given back, failed, swept up.

A step claims in one short transaction, works outside any, and writes in one transaction that its
token guards. What fails is recorded against the chunk, and offered again, split or quarantined.
"""

import logging
from collections.abc import Sequence
from pathlib import Path

from db.claimed import ClaimedChunk, claimed_chunks
from db.cuts import outliving_cuts
from db.engine import Database
from db.episodes import get_episode
from db.queue import (
    chunks_ahead,
    claim_chunks,
    fail_claim,
    has_free_chunk,
    let_one_at_a_time_extract,
    lost_claims,
    release_claim,
)
from db.records import Claim
from db.runs import get_run
from ingest.chunks import ChunkRange, split_chunk
from ingest.probe import PictureArea
from worker.finish import finish_run_if_complete
from worker.identity import is_dead
from worker.log import about
from worker.parameters import RunParameters
from worker.workplace import Workplace

log = logging.getLogger(__name__)


@outliving_cuts
def claim_step(
    workplace: Workplace,
    state: str,
    worker: str,
    run_ids: Sequence[int] | None,
    limit: int = 1,
    chunk_id: int | None = None,
) -> list[Claim]:
    """Claims chunks in `state`, if there are any; an empty list otherwise.

    Of extraction no more is claimed than may wait to be classified.

    Args:
        workplace: Settings and database.
        state: `queued` to extract, `extracted` to classify.
        worker: Who claims.
        run_ids: Only chunks of these runs; None for any run.
        limit: How many chunks at most.
        chunk_id: Only what is free of this chunk's group.
    """
    # Who asks for any chunk does so again and again; who was told of one mostly finds it.
    if chunk_id is None:
        with workplace.database.read() as connection:
            if not has_free_chunk(connection, state, run_ids):
                return []
    with workplace.database.write() as connection:
        if state == "queued":
            let_one_at_a_time_extract(connection)
            most = workplace.settings.chunks_ahead
            limit = min(limit, most - chunks_ahead(connection, most, run_ids))
            if limit <= 0:
                return []
        claims = claim_chunks(
            connection,
            state,
            worker,
            workplace.settings.lease_seconds,
            limit=limit,
            run_ids=run_ids,
            chunk_id=chunk_id,
        )
    workplace.metrics.count_attempts(state, len(claims))
    return claims


@outliving_cuts
def record_failure(
    database: Database, claim: Claim, error: str, *, lost: bool, extract_again: bool = False
) -> None:
    """Writes a failed attempt down; ends the run if its last open chunk is given up with this."""
    with database.write() as connection:
        run = get_run(connection, claim.run_id)
        halves = split_chunk(
            ChunkRange(claim.start_pts, claim.end_pts),
            get_episode(connection, run.episode_id).key_pts,
        )
        outcome = fail_claim(
            connection,
            claim,
            error,
            lost=lost,
            split_at=halves[1].start_pts if halves else None,
            extract_again=extract_again,
        )
        if outcome == "quarantined":
            finish_run_if_complete(connection, claim.run_id)
    log.info("failed", extra=about(claim, outcome=outcome, error=error))


@outliving_cuts
def give_back(database: Database, claims: Sequence[Claim]) -> None:
    """Offers claimed chunks again at once, as if they had never been claimed."""
    for claim in claims:
        with database.write() as connection:
            release_claim(connection, claim)


@outliving_cuts
def sweep(database: Database) -> int:
    """Offers chunks again whose worker vanished. Returns how many there were."""
    with database.read() as connection:
        lost = lost_claims(connection, is_dead)
    for claim in lost:
        record_failure(database, claim, "its worker vanished", lost=True)
    return len(lost)


@outliving_cuts
def chunks_of(database: Database, claims: Sequence[Claim]) -> list[ClaimedChunk]:
    """What claimed chunks are about."""
    with database.read() as connection:
        return claimed_chunks(connection, claims)


def store_path(workplace: Workplace, chunk: ClaimedChunk) -> Path:
    """The frame store file of a claimed chunk."""
    return workplace.frames.path_for(
        chunk.episode.sha256,
        RunParameters.from_json(chunk.params).every_seconds,
        chunk.claim.start_pts,
        chunk.claim.end_pts,
        PictureArea(*chunk.episode.area),
    )
