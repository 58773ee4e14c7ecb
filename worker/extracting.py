"""The step `extract`: a claimed chunk's frames into the frame store."""

import logging
import math
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path

from db.cuts import outliving_cuts
from db.engine import Database
from db.queue import complete_extraction
from db.records import Claim, EpisodeRecord, ExtractedChunk, RunRecord
from db.runs import extracted_before
from db.writes import register_episode
from ingest.decoder import Decoder
from ingest.errors import (
    DecoderLost,
    FrameStoreError,
    IngestError,
    StorageUnreachable,
    VideoError,
)
from ingest.extraction import Extraction
from ingest.frame_store import read_manifest
from ingest.probe import PictureArea
from ingest.remote_files import is_remote
from ingest.sampling import clip_ranges
from worker.claims import give_back, record_failure, run_and_episode, store_path
from worker.errors import WorkerError
from worker.lease import LeaseKeeper
from worker.log import about
from worker.parameters import RunParameters
from worker.workplace import Workplace

log = logging.getLogger(__name__)


class _LeaseLostError(Exception):
    """The chunk that is being worked on belongs to nobody or to others now."""


def extract_step(
    workplace: Workplace,
    claim: Claim,
    decoder: Decoder,
    on_progress: Callable[[int], None],
) -> bool:
    """Decodes a claimed chunk into the frame store, unless its frames lie there already.

    Args:
        workplace: Settings and database.
        claim: A chunk in state `queued`.
        decoder: The decoder process to use.
        on_progress: Called with the number of frames decoded so far; an error that it raises
            stops the work, and the chunk is offered again.

    Returns:
        Whether the chunk is extracted now; False if it failed, or belongs to others.

    Raises:
        FrameStoreError: The frame store cannot be written; the chunk is offered again.
        StorageUnreachable: Shared storage does not answer; the chunk is offered again.
        WorkerError: The episode's folder is gone; the chunk is offered again.
        Exception: What `on_progress` raised.
    """
    database = workplace.database
    try:
        extracted = _extract(workplace, claim, decoder, on_progress)
    except _LeaseLostError:
        return False  # the run was cancelled, or others do this chunk now
    except (FrameStoreError, StorageUnreachable):
        # No chunk's fault: every other one would fail in the same way.
        give_back(database, [claim])
        raise
    except IngestError as error:
        killed = isinstance(error, DecoderLost) and error.killed
        record_failure(database, claim, str(error), lost=killed)
        return False
    except BaseException:
        give_back(database, [claim])
        raise
    return _completed(database, claim, extracted)


@outliving_cuts
def _completed(database: Database, claim: Claim, extracted: ExtractedChunk) -> bool:
    with database.write() as connection:
        completed = complete_extraction(connection, claim, extracted)
    log.info("extracted", extra=about(claim, frames=len(extracted.sampled_pts)))
    return completed


def _extract(
    workplace: Workplace,
    claim: Claim,
    decoder: Decoder,
    on_progress: Callable[[int], None],
) -> ExtractedChunk:
    run, episode = run_and_episode(workplace.database, claim)
    path = store_path(workplace, claim, run, episode)
    found = _found_in_store(workplace, claim, run, path)
    if found is not None:
        return found
    # The decoder's parent watches over it: silence and computing time both have limits there.
    keeper = LeaseKeeper(
        workplace.database,
        [claim],
        workplace.settings.lease_seconds,
        longest_seconds=math.inf,
    )

    def check(frames: int) -> None:
        if keeper.lost:
            raise _LeaseLostError
        on_progress(frames)

    with keeper:
        source = _source(workplace, decoder, run, episode, lambda: check(0))
        extracted = decoder.extract(_request(claim, run, episode, source, path), check)
        workplace.frames.publish(path)
    workplace.metrics.count_decoded(extracted.frames_decoded)
    return ExtractedChunk(
        sampled_pts=extracted.sampled_pts,
        frames_decoded=extracted.frames_decoded,
        decode_errors=extracted.decode_errors,
        missing=extracted.missing,
    )


def _source(
    workplace: Workplace,
    decoder: Decoder,
    run: RunRecord,
    episode: EpisodeRecord,
    on_progress: Callable[[], None],
) -> Path:
    """The episode's file, or a copy of it; surely what was enqueued.

    Raises:
        WorkerError: Its folder is gone.
        VideoError: Another file took its place.
        StorageUnreachable: It lies on storage that does not answer.
    """
    if is_remote(episode.uri):
        return workplace.episode_cache.fetch(episode.uri, episode.sha256, on_progress)
    path = Path(episode.uri)
    if not path.parent.is_dir():
        raise WorkerError(
            f"{path.parent}: this folder is gone; bring it back, or run: castline cancel {run.id}"
        )
    _check_identity(workplace, decoder, episode)
    return path


def _check_identity(workplace: Workplace, decoder: Decoder, episode: EpisodeRecord) -> None:
    """Makes sure that the file still is the episode; one written anew is hashed again.

    Raises:
        VideoError: Another file took its place.
    """
    path = Path(episode.uri)
    if not path.exists():
        return  # the decoder's parent says so, as of any file that cannot be opened
    modified_ns = path.stat().st_mtime_ns
    if modified_ns == episode.modified_ns:
        return
    if decoder.probe(path).sha256 != episode.sha256:
        raise VideoError(f"{path}: was changed since it was added; enqueue it again")
    _note_modification(workplace.database, replace(episode, modified_ns=modified_ns))


@outliving_cuts
def _note_modification(database: Database, episode: EpisodeRecord) -> None:
    with database.write() as connection:
        register_episode(connection, episode)


def _found_in_store(
    workplace: Workplace, claim: Claim, run: RunRecord, path: Path
) -> ExtractedChunk | None:
    """What another run of the episode extracted, so that a new model never decodes again."""
    if claim.attempts > 1:
        return None  # these frames, or how they were made, may be what failed
    every_seconds = RunParameters.from_json(run.params).every_seconds
    for params, extracted in _candidates(workplace.database, claim):
        if RunParameters.from_json(params).every_seconds != every_seconds:
            continue
        try:
            workplace.frames.fetch(path)
            is_there = read_manifest(path).pts == extracted.sampled_pts
            workplace.frames.mark_used(path)
        except FrameStoreError:
            return None
        return replace(extracted, is_reused=True) if is_there else None
    return None


@outliving_cuts
def _candidates(database: Database, claim: Claim) -> list[tuple[str, ExtractedChunk]]:
    with database.read() as connection:
        return extracted_before(connection, claim)


def _request(
    claim: Claim, run: RunRecord, episode: EpisodeRecord, source: Path, path: Path
) -> Extraction:
    return Extraction(
        path=str(source),
        size_bytes=episode.size_bytes,
        sha256=episode.sha256,
        time_base=episode.time_base,
        episode_start_pts=episode.start_pts,
        start_pts=claim.start_pts,
        end_pts=claim.end_pts,
        every_seconds=RunParameters.from_json(run.params).every_seconds,
        picture_area=PictureArea(*episode.area),
        width=episode.width,
        height=episode.height,
        rotation=episode.rotation,
        sample_aspect_ratio=episode.sample_aspect_ratio,
        lag_pts=episode.lag_pts,
        missing=clip_ranges(episode.missing, claim.start_pts, claim.end_pts),
        store_path=str(path),
    )
