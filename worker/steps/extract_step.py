"""The step `extract`: decode claimed chunks' frames into the frame store."""

import logging
import math
import time
from collections.abc import Callable, Mapping, Sequence
from dataclasses import replace
from functools import partial
from pathlib import Path

from db.changes.episodes import note_stamp
from db.engine import Database
from db.queue.claimed import ClaimedChunk
from db.queue.completing import complete_extractions
from db.records import Claim, EpisodeRecord, ExtractedChunk
from db.retrying import retry_on_disconnect
from db.states import Statistic
from ingest.cuts import Cuts
from ingest.decoder.parent import Decoder
from ingest.errors import (
    DecoderLost,
    FrameStoreError,
    IngestError,
    ShortageError,
    StorageUnreachable,
)
from ingest.frames.chunks import ChunkRange
from ingest.frames.extract_request import Extraction
from ingest.shortages import telling_shortages, what_is_lacking
from ingest.storage.frame_store import read_manifest
from ingest.storage.remote_files import is_remote
from worker.errors import WorkerError
from worker.installation import Installation
from worker.parameters import RunParameters
from worker.steps.claims import chunks_of, give_back, record_failure, store_path
from worker.steps.lease import LeaseKeeper
from worker.telemetry.log import about

BEGUN_WITHIN_SECONDS = 30.0
"""After this time no further chunk of a group is started: one takes two seconds of a core, and
where it takes far longer, other workers may have time for the rest, and a kill should not lose it
all."""

log = logging.getLogger(__name__)


class _LeaseLostError(Exception):
    """The claim of the current chunk was lost."""


def extract_step(
    installation: Installation,
    claim: Claim,
    decoder: Decoder,
    on_progress: Callable[[int], None],
) -> bool:
    """Extract one claimed chunk like `extract_group`.

    Returns:
        Whether the chunk is extracted now; False if it failed, or its claim was lost.
    """
    try:
        chunks = chunks_of(installation.database, [claim])
    except BaseException:
        give_back(installation.database, [claim])
        raise
    return bool(extract_group(installation, chunks, decoder, lambda _, frames: on_progress(frames)))


def extract_group(
    installation: Installation,
    chunks: Sequence[ClaimedChunk],
    decoder: Decoder,
    on_progress: Callable[[Claim, int], None],
    goes_on: Callable[[], bool] = lambda: True,
) -> list[Claim]:
    """Decode claimed chunks into the frame store, unless their frames are already there.

    Chunks are decoded one after the other, and successes are recorded together. A failure is
    recorded against that chunk alone. If the work ends early for any reason, the extracted chunks
    are kept, and the rest is offered again.

    Args:
        installation: The installation: settings and database.
        chunks: Chunks of one run, in state `queued`.
        decoder: The decoder process to use.
        on_progress: Called with the current chunk and the number of its frames decoded so far; an
            error that it raises stops the work.
        goes_on: Called before each chunk but the first; if it returns False, the rest is offered
            again.

    Returns:
        The chunks that are extracted now; the others failed, were lost, or are offered again
        because BEGUN_WITHIN_SECONDS were over or `goes_on` returned False.

    Raises:
        FrameStoreError: The frame store cannot be written.
        StorageUnreachable: Shared storage does not answer.
        ShortageError: This machine lacks memory, threads, processes or open files.
        WorkerError: The episode's folder is gone.
        Exception: Raised by `on_progress`.
    """
    database = installation.database
    extracted: dict[Claim, ExtractedChunk] = {}
    left = [chunk.claim for chunk in chunks]
    until_seconds = time.monotonic() + BEGUN_WITHIN_SECONDS

    def has_time() -> bool:
        return time.monotonic() < until_seconds and goes_on()

    try:
        with telling_shortages():
            _extract_all(installation, chunks, left, extracted, decoder, on_progress, has_time)
    except _LeaseLostError:
        left = []  # the run was cancelled, or other workers hold these chunks now
    finally:
        completed = _completed(installation, extracted) if extracted else []
        give_back(database, left)
        installation.statistics.write(database)
    return completed


@retry_on_disconnect
def _completed(
    installation: Installation, extracted: Mapping[Claim, ExtractedChunk]
) -> list[Claim]:
    run_ids = [claim.run_id for claim in extracted]
    with (
        installation.statistics.timed(Statistic.DATABASE, run_ids),
        installation.database.write() as connection,
    ):
        completed = complete_extractions(connection, extracted)
    for claim in completed:
        frames = len(extracted[claim].sampled_pts)
        log.info("extracted", extra=about(claim, frames=frames))
    return completed


def _extract_all(
    installation: Installation,
    chunks: Sequence[ClaimedChunk],
    left: list[Claim],
    extracted: dict[Claim, ExtractedChunk],
    decoder: Decoder,
    on_progress: Callable[[Claim, int], None],
    goes_on: Callable[[], bool],
) -> None:
    """Move claims from `left`, as they are done, and add those that succeeded to `extracted`."""
    # The decoder's parent watches it: silence and CPU time both have limits there.
    with LeaseKeeper(
        installation.database, left, installation.settings.lease_seconds, longest_seconds=math.inf
    ) as keeper:

        def check(claim: Claim, frames: int) -> None:
            if keeper.lost:
                raise _LeaseLostError
            on_progress(claim, frames)

        for chunk in chunks:
            claim = chunk.claim
            try:
                extracted[claim] = _found_in_store(installation, chunk) or _extract(
                    installation, chunk, decoder, partial(check, claim)
                )
            except (FrameStoreError, ShortageError, StorageUnreachable):
                raise  # no chunk's fault: all others would fail in the same way
            except IngestError as error:
                if what_is_lacking(error):
                    raise
                killed = isinstance(error, DecoderLost) and error.killed
                record_failure(installation, claim, str(error), lost=killed)
            left.remove(claim)
            if left and not goes_on():
                return


def _extract(
    installation: Installation,
    chunk: ClaimedChunk,
    decoder: Decoder,
    check: Callable[[int], None],
) -> ExtractedChunk:
    path = store_path(installation, chunk)
    source = _source(installation, chunk, lambda: check(0))
    with installation.statistics.timed(Statistic.DECODE, [chunk.claim.run_id]):
        extracted = decoder.extract(_request(chunk, source, path), check)
    _note_stamp(installation.database, chunk.episode, extracted.file_stamp)
    installation.frames.publish(path)
    installation.metrics.count_decoded(extracted.frames_decoded)
    return ExtractedChunk(
        sampled_pts=extracted.sampled_pts,
        frames_decoded=extracted.frames_decoded,
        decode_errors=extracted.decode_errors,
        missing=extracted.missing,
        cuts=_as_json(extracted.cuts),
    )


def _as_json(cuts: Cuts | None) -> str | None:
    return None if cuts is None else cuts.to_json()


def _source(
    installation: Installation, chunk: ClaimedChunk, on_progress: Callable[[], None]
) -> Path:
    """Return the episode's file, or a copy of it.

    Raises:
        WorkerError: Its folder is gone.
        VideoError: Shared storage holds another file in its place.
        StorageUnreachable: It is on storage that does not answer.
    """
    episode = chunk.episode
    if is_remote(episode.uri):
        return installation.episode_cache.fetch(episode.uri, episode.sha256, on_progress)
    path = Path(episode.uri)
    if not path.parent.is_dir():
        raise WorkerError(
            f"{path.parent}: this folder is gone; bring it back,"
            f" or run: castline cancel {chunk.claim.run_id}"
        )
    return path


@retry_on_disconnect
def _note_stamp(database: Database, episode: EpisodeRecord, stamp: str) -> None:
    """Store the stamp that proves the file's content, so that it is not hashed again."""
    if stamp in ("", episode.file_stamp):
        return
    with database.write() as connection:
        note_stamp(connection, episode, stamp)


def _found_in_store(installation: Installation, chunk: ClaimedChunk) -> ExtractedChunk | None:
    """Return another run's extraction of the chunk, so that a new model never decodes again."""
    path = store_path(installation, chunk)
    every_seconds = RunParameters.from_json(chunk.params).every_seconds
    for params, extracted in chunk.found:
        if RunParameters.from_json(params).every_seconds != every_seconds:
            continue
        try:
            installation.frames.fetch(path)
            stored = read_manifest(path)
            installation.frames.mark_used(path)
        except FrameStoreError:
            return None
        if stored.pts != extracted.sampled_pts:
            return None
        return replace(extracted, cuts=_as_json(stored.cuts), is_reused=True)
    return None


def _request(chunk: ClaimedChunk, source: Path, path: Path) -> Extraction:
    claim, episode = chunk.claim, chunk.episode
    request = Extraction.of(
        episode,
        str(source),
        ChunkRange(claim.start_pts, claim.end_pts),
        RunParameters.from_json(chunk.params).every_seconds,
        episode.area,
        path,
    )
    # A private copy needs no proof: no other program writes to it.
    return replace(request, file_stamp=None) if is_remote(episode.uri) else request
