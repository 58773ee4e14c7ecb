"""The two steps of a chunk, `extract` and `classify`, as every dispatcher runs them.

Each claims in one short transaction, works outside any, and writes in one transaction that its
token guards. What fails is recorded against the chunk, and offered again, split or quarantined.
"""

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path

from db.engine import Database, Transaction
from db.episodes import get_episode
from db.queue import (
    claim_chunks,
    complete_extraction,
    complete_tagging,
    fail_claim,
    has_free_chunk,
    lost_claims,
    release_claim,
)
from db.records import Claim, EpisodeRecord, ExtractedChunk, RunRecord, TagRecord
from db.runs import extracted_chunk, get_run
from db.writes import replace_tags
from ingest.chunks import ChunkRange, split_chunk
from ingest.decoder import Decoder
from ingest.errors import DecoderLost, FrameStoreError, IngestError, StorageFullError
from ingest.extraction import Extraction
from ingest.frame_store import FrameStore, StoredFrame, read_frames
from ingest.probe import PictureArea
from ingest.sampling import clip_ranges
from model.classifier import Classifier, Prediction
from worker.finish import finish_run_if_complete
from worker.identity import is_dead
from worker.lease import LeaseKeeper
from worker.parameters import RunParameters
from worker.workplace import Workplace

CLAIMED_AT_ONCE = 4
"""Chunks that one classify step takes: enough pictures that the last, padded batch is 2 % of them,
and little enough that a killed classify process redoes a second of work."""


class _LeaseLostError(Exception):
    """The chunk that is being worked on belongs to nobody or to others now."""


def claim_step(
    workplace: Workplace, state: str, worker: str, run_ids: Sequence[int] | None, limit: int = 1
) -> list[Claim]:
    """Claims chunks in `state`, if there are any; an empty list otherwise."""
    with workplace.database.read() as connection:
        if not has_free_chunk(connection, state, run_ids):
            return []
    with workplace.database.write() as connection:
        return claim_chunks(
            connection,
            state,
            worker,
            workplace.settings.lease_seconds,
            limit=limit,
            run_ids=run_ids,
        )


def extract_step(
    workplace: Workplace,
    claim: Claim,
    decoder: Decoder,
    on_progress: Callable[[int], None],
) -> None:
    """Decodes a claimed chunk into the frame store.

    Args:
        workplace: Settings and database.
        claim: A chunk in state `queued`.
        decoder: The decoder process to use.
        on_progress: Called with the number of frames decoded so far; an error that it raises
            stops the work, and the chunk is offered again.

    Raises:
        StorageFullError: The frame store cannot take more; the chunk is offered again.
        Exception: What `on_progress` raised.
    """
    database = workplace.database
    with database.read() as connection:
        run, episode = _run_and_episode(connection, claim)
    keeper = LeaseKeeper(database, [claim], workplace.settings.lease_seconds)

    def check(frames: int) -> None:
        if keeper.lost:
            raise _LeaseLostError
        on_progress(frames)

    try:
        with keeper:
            extracted = decoder.extract(_extraction(workplace, claim, run, episode), check)
    except _LeaseLostError:
        return  # the run was cancelled, or others do this chunk now
    except StorageFullError:
        give_back(database, [claim])
        raise
    except IngestError as error:
        killed = isinstance(error, DecoderLost) and error.killed
        record_failure(database, claim, str(error), lost=killed)
        return
    except BaseException:
        give_back(database, [claim])
        raise
    with database.write() as connection:
        complete_extraction(
            connection,
            claim,
            ExtractedChunk(
                sampled_pts=extracted.sampled_pts,
                frames_decoded=extracted.frames_decoded,
                decode_errors=extracted.decode_errors,
                missing=extracted.missing,
            ),
        )


def classify_step(
    workplace: Workplace,
    claims: Sequence[Claim],
    classifier_for: Callable[[str], Classifier],
) -> None:
    """Classifies claimed chunks and writes their tags; ends the runs that are complete with them.

    Chunks that never failed share forward passes; one that did is tried by itself, so that it
    takes no other along.

    Args:
        workplace: Settings and database.
        claims: Chunks in state `extracted`.
        classifier_for: Gives the classifier of a model version, by its SHA-256.
    """
    with workplace.database.read() as connection:
        sha256_of = {item.run_id: get_run(connection, item.run_id).model_sha256 for item in claims}
    groups: dict[object, list[Claim]] = {}
    for claim in claims:
        key = sha256_of[claim.run_id] if claim.attempts == 1 else claim.chunk_id
        groups.setdefault(key, []).append(claim)
    with LeaseKeeper(workplace.database, claims, workplace.settings.lease_seconds):
        for group in groups.values():
            _classify_group(workplace, group, classifier_for, sha256_of[group[0].run_id])


def _classify_group(
    workplace: Workplace,
    claims: Sequence[Claim],
    classifier_for: Callable[[str], Classifier],
    model_sha256: str,
) -> None:
    database = workplace.database
    stored: list[_StoredChunk] = []
    for claim in claims:
        try:
            stored.append(_read_chunk(workplace, claim))
        except FrameStoreError as error:
            record_failure(database, claim, str(error), lost=False, extract_again=True)
    pictures = [frame.picture for part in stored for frame in part.frames]
    try:
        predictions = iter(classifier_for(model_sha256).classify(pictures) if pictures else [])
    except Exception as error:  # whatever the network throws, these chunks failed
        for part in stored:
            record_failure(database, part.claim, " ".join(str(error).split()), lost=False)
        return
    for part in stored:
        tags = [
            _tag(prediction, part.episode, frame.pts)
            for frame in part.frames
            for prediction in next(predictions)
        ]
        _write_tags(database, part.claim, tags)


@dataclass(frozen=True)
class _StoredChunk:
    """A claimed chunk with its frames, read back."""

    claim: Claim
    episode: EpisodeRecord
    frames: tuple[StoredFrame, ...]


def _read_chunk(workplace: Workplace, claim: Claim) -> _StoredChunk:
    with workplace.database.read() as connection:
        run, episode = _run_and_episode(connection, claim)
        expected = extracted_chunk(connection, claim).sampled_pts
    path = _store_path(workplace, claim, run, episode)
    frames = tuple(read_frames(path))
    if tuple(frame.pts for frame in frames) != expected:
        raise FrameStoreError(f"{path}: holds other frames than were extracted; extracting again")
    return _StoredChunk(claim, episode, frames)


def _write_tags(database: Database, claim: Claim, tags: Sequence[TagRecord]) -> None:
    with database.write() as connection:
        if complete_tagging(connection, claim):
            replace_tags(connection, claim, tags)
            finish_run_if_complete(connection, claim.run_id)


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


def give_back(database: Database, claims: Sequence[Claim]) -> None:
    """Offers claimed chunks again at once, as if they had never been claimed."""
    with database.write() as connection:
        for claim in claims:
            release_claim(connection, claim)


def sweep(database: Database) -> int:
    """Offers chunks again whose worker vanished. Returns how many there were."""
    with database.read() as connection:
        lost = lost_claims(connection, is_dead)
    for claim in lost:
        record_failure(database, claim, "its worker vanished", lost=True)
    return len(lost)


def _run_and_episode(connection: Transaction, claim: Claim) -> tuple[RunRecord, EpisodeRecord]:
    run = get_run(connection, claim.run_id)
    return run, get_episode(connection, run.episode_id)


def _store_path(workplace: Workplace, claim: Claim, run: RunRecord, episode: EpisodeRecord) -> Path:
    return FrameStore(workplace.settings.frames_folder).path_for(
        episode.sha256,
        RunParameters.from_json(run.params).every_seconds,
        claim.start_pts,
        claim.end_pts,
        PictureArea(*episode.area),
    )


def _extraction(
    workplace: Workplace, claim: Claim, run: RunRecord, episode: EpisodeRecord
) -> Extraction:
    return Extraction(
        path=episode.uri,
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
        store_path=str(_store_path(workplace, claim, run, episode)),
    )


def _tag(prediction: Prediction, episode: EpisodeRecord, pts: int) -> TagRecord:
    return TagRecord(
        pts=pts,
        label=prediction.label,
        region=prediction.region,
        confidence=prediction.confidence,
        seconds=float((pts - episode.start_pts) * episode.time_base),
    )
