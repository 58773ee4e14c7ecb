"""Claims for all steps: taking, giving back, recording failures, sweeping.

A step claims in one short transaction, works outside any, and writes in one transaction that is
guarded by its token. A failure is recorded against the chunk, which is offered again, split or
quarantined.
"""

import logging
from collections.abc import Callable, Sequence
from functools import partial
from pathlib import Path

from db.engine import Database, Transaction
from db.errors import NotFoundError
from db.library.episodes import get_episode
from db.library.runs import get_run
from db.queue.claimed import ClaimedChunk, claimed_chunks
from db.queue.claims import begin_claim, claim_chunks, fail_claim, lost_claims, release_claim
from db.queue.free import CHUNKS_PER_GROUP, chunks_ahead, has_free_chunk
from db.queue.offers import WaitingChunk, free_beside, waiting_chunk
from db.records import Claim
from db.retrying import retry_on_disconnect
from db.states import ChunkState, Outcome, Statistic, Step
from ingest.frames.chunks import ChunkRange, split_chunk
from worker.identity import is_dead
from worker.installation import Installation
from worker.on_done import note_end
from worker.parameters import RunParameters
from worker.steps.finish import finish_run_if_complete
from worker.telemetry.log import about

log = logging.getLogger(__name__)


@retry_on_disconnect
def claim_step(
    installation: Installation,
    state: ChunkState,
    worker: str,
    run_ids: Sequence[int] | None,
    limit: int = 1,
) -> list[Claim]:
    """Claim free chunks in `state`, if there are any.

    For extraction, no more are claimed than may wait to be classified.

    Args:
        installation: The installation: settings and database.
        state: `queued` to extract, `extracted` to classify.
        worker: Identity of the worker.
        run_ids: Only chunks of these runs; None for any run.
        limit: Maximum number of chunks.

    Returns:
        The claims; empty if there are none.
    """
    # Idle workers poll; a worker that was notified of a chunk mostly finds it, and claims directly.
    with installation.database.read() as connection:
        if not has_free_chunk(connection, state, run_ids):
            return []
    claimed_for: list[int] = []
    with (
        installation.statistics.timed(Statistic.DATABASE, claimed_for),
        installation.database.write() as connection,
    ):
        claims = _claim(connection, installation, state, worker, limit, run_ids, None)
        claimed_for += [claim.run_id for claim in claims]
    installation.metrics.count_attempts(Step.of(state), len(claims))
    return claims


@retry_on_disconnect
def claim_to_extract(
    installation: Installation, worker: str, chunk_id: int, most: int
) -> tuple[list[ClaimedChunk], int | None]:
    """Claim the free chunks of a chunk's group, up to `most`, and read their details.

    Returns:
        The claimed chunks, and a chunk by which to notify of the rest of the group, if any.
    """
    chunks: list[ClaimedChunk] = []
    rest = None
    claimed_for: list[int] = []
    with (
        installation.statistics.timed(Statistic.DATABASE, claimed_for),
        installation.database.write() as connection,
    ):
        if claims := _claim(
            connection, installation, ChunkState.QUEUED, worker, most, None, chunk_id
        ):
            claimed_for += [claim.run_id for claim in claims]
            chunks = claimed_chunks(connection, claims)
            if len(claims) == most < CHUNKS_PER_GROUP:
                rest = free_beside(connection, claims[0])
    installation.metrics.count_attempts(Step.EXTRACT, len(chunks))
    return chunks, rest


@retry_on_disconnect
def claim_to_classify(
    installation: Installation, worker: str, chunk_id: int, most_of: Callable[[WaitingChunk], int]
) -> tuple[WaitingChunk | None, list[ClaimedChunk]]:
    """Claim the free chunks of a chunk's group, and others, and read their details.

    Args:
        installation: The installation: settings and database.
        worker: Identity of the worker.
        chunk_id: A chunk of the group.
        most_of: Returns how many chunks to claim if one like this waits; 0 for none.

    Returns:
        A chunk of the group that waited, if any, and the claimed chunks.
    """
    chunks: list[ClaimedChunk] = []
    claimed_for: list[int] = []
    with (
        installation.statistics.timed(Statistic.DATABASE, claimed_for),
        installation.database.write() as connection,
    ):
        waiting = waiting_chunk(connection, chunk_id)
        most = most_of(waiting) if waiting else 0
        if most:
            claim = partial(_claim, connection, installation, ChunkState.EXTRACTED, worker)
            claims = claim(most, None, chunk_id)
            if 0 < len(claims) < most:
                claims += claim(most - len(claims), None, None)
            chunks = claimed_chunks(connection, claims) if claims else []
            claimed_for += [claim.run_id for claim in claims]
    installation.metrics.count_attempts(Step.CLASSIFY, len(chunks))
    return waiting, chunks


def _claim(
    connection: Transaction,
    installation: Installation,
    state: ChunkState,
    worker: str,
    limit: int,
    run_ids: Sequence[int] | None,
    chunk_id: int | None,
) -> list[Claim]:
    begin_claim(connection, state)
    if state is ChunkState.QUEUED:
        most = installation.settings.chunks_ahead
        limit = min(limit, most - chunks_ahead(connection, most, run_ids))
        if limit <= 0:
            return []
    return claim_chunks(
        connection,
        state,
        worker,
        installation.settings.lease_seconds,
        limit=limit,
        run_ids=run_ids,
        chunk_id=chunk_id,
    )


@retry_on_disconnect
def record_failure(
    installation: Installation, claim: Claim, error: str, *, lost: bool, extract_again: bool = False
) -> None:
    """Record a failed attempt; end the run if its last open chunk is given up with this."""
    with installation.database.write() as connection:
        try:
            run = get_run(connection, claim.run_id)
        except NotFoundError:
            return  # cancelled and pruned
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
        if outcome is Outcome.QUARANTINED and finish_run_if_complete(connection, claim.run_id):
            note_end(connection, installation.settings, claim.run_id)
    log.info("failed", extra=about(claim, outcome=outcome, error=error))


@retry_on_disconnect
def give_back(database: Database, claims: Sequence[Claim]) -> None:
    """Offer claimed chunks again immediately, as if they had never been claimed."""
    for claim in claims:
        with database.write() as connection:
            release_claim(connection, claim)


@retry_on_disconnect
def sweep(installation: Installation) -> int:
    """Offer chunks again whose worker vanished; return how many there were."""
    with installation.database.read() as connection:
        lost = lost_claims(connection, is_dead)
    for claim in lost:
        record_failure(installation, claim, "its worker vanished", lost=True)
    return len(lost)


@retry_on_disconnect
def chunks_of(database: Database, claims: Sequence[Claim]) -> list[ClaimedChunk]:
    """Return the details of claimed chunks."""
    with database.read() as connection:
        return claimed_chunks(connection, claims)


def store_path(installation: Installation, chunk: ClaimedChunk) -> Path:
    """Return the frame store file of a claimed chunk."""
    return installation.frames.path_for(
        chunk.episode.sha256,
        RunParameters.from_json(chunk.params).every_seconds,
        chunk.claim.start_pts,
        chunk.claim.end_pts,
        chunk.episode.area,
    )
