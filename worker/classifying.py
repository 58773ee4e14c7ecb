"""The step `classify`: claimed chunks' frames from the frame store, into tags."""

import logging
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, field

from db.cuts import outliving_cuts
from db.engine import Database
from db.episodes import get_episode
from db.queue import complete_tagging
from db.records import Claim, EpisodeRecord, RunRecord, TagRecord
from db.runs import extracted_chunk, get_run
from db.writes import replace_tags
from ingest.errors import FrameStoreError, StorageUnreachable
from ingest.frame_store import StoredFrame, read_frames
from model.classifier import Classifier, Prediction
from worker.claims import give_back, record_failure, store_path
from worker.finish import finish_run_if_complete
from worker.lease import LeaseKeeper
from worker.log import about
from worker.metrics import Metrics
from worker.reading_ahead import in_parts_read_ahead
from worker.workplace import Workplace

CLAIMED_AT_ONCE = 4
"""Chunks that one classify step takes: enough pictures that the last, padded batch is 2 % of them,
and little enough that a killed classify process redoes a second of work."""

FRAMES_AT_ONCE = 320
"""Frames in memory, or one batch where that is more: 20 batches of 64 pictures, and 35 MB of
256x144 pixels. As many more are read meanwhile."""

MOST_AT_ONCE = 64
"""Chunks that fill the largest batches; what a killed process has to do again."""

log = logging.getLogger(__name__)


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

    Raises:
        ModelError: A model version cannot be loaded; the chunks are offered again.
        StorageUnreachable: The frame store does not answer; the chunks are offered again.
    """
    groups: dict[tuple[str, int | None], list[_Tagging]] = {}
    for chunk in _chunks_of(workplace.database, claims):
        alone = None if chunk.claim.attempts == 1 else chunk.claim.chunk_id
        groups.setdefault((chunk.run.model_sha256, alone), []).append(chunk)
    left = list(claims)
    with LeaseKeeper(workplace.database, claims, workplace.settings.lease_seconds):
        for (model_sha256, _), group in groups.items():
            try:
                classifier = classifier_for(model_sha256)
            except BaseException:
                # No chunk's fault: a missing model or device would fail every other one too.
                give_back(workplace.database, left)
                raise
            try:
                _classify_group(workplace, group, classifier)
            except StorageUnreachable:
                give_back(workplace.database, left)
                raise
            done = [chunk.claim for chunk in group]
            left = [claim for claim in left if claim not in done]


def chunks_that_fill(frames_per_batch: int, frames_per_chunk: int) -> int:
    """How many chunks to claim at once so that batches are full."""
    filling = -(-frames_per_batch // max(frames_per_chunk, 1))
    return min(max(filling, CLAIMED_AT_ONCE), MOST_AT_ONCE)


@dataclass
class _Tagging:
    """A chunk whose frames are being classified."""

    claim: Claim
    run: RunRecord
    episode: EpisodeRecord
    expected_pts: tuple[int, ...]
    tags: list[TagRecord] = field(default_factory=list)


def _classify_group(
    workplace: Workplace, chunks: Sequence[_Tagging], classifier: Classifier
) -> None:
    whole: list[_Tagging] = []
    batches = max(1, FRAMES_AT_ONCE // classifier.frames_per_batch)
    frames = _frames_of_all(workplace, chunks, whole)
    try:
        for part in in_parts_read_ahead(frames, batches * classifier.frames_per_batch):
            _classify(part, classifier, workplace.metrics)
    except _ClassifyingError as error:
        for chunk in chunks:  # those whose failure is recorded already are not held any more
            record_failure(workplace.database, chunk.claim, str(error), lost=False)
        return
    for chunk in whole:
        _write_tags(workplace.database, chunk)


def _frames_of_all(
    workplace: Workplace, chunks: Sequence[_Tagging], whole: list[_Tagging]
) -> Iterator[tuple[_Tagging, StoredFrame]]:
    """The frames of all chunks; those that could be read to the end are added to `whole`."""
    for chunk in chunks:
        try:
            for frame in _frames(workplace, chunk):
                yield chunk, frame
        except FrameStoreError as error:
            record_failure(
                workplace.database, chunk.claim, str(error), lost=False, extract_again=True
            )
            continue
        whole.append(chunk)


class _ClassifyingError(Exception):
    """The network failed on these frames, for whatever reason."""


def _classify(
    part: Sequence[tuple[_Tagging, StoredFrame]], classifier: Classifier, metrics: Metrics
) -> None:
    """Classifies frames, and adds what was found to their chunks."""
    try:
        predictions = classifier.classify([frame.picture for _, frame in part])
    except Exception as error:
        raise _ClassifyingError(" ".join(str(error).split())) from error
    for (chunk, frame), found in zip(part, predictions, strict=True):
        chunk.tags.extend(_tag(item, chunk.episode, frame.pts) for item in found)
    metrics.count_classified(len(part), classifier)


def _frames(workplace: Workplace, chunk: _Tagging) -> Iterator[StoredFrame]:
    """A claimed chunk's frames from the store.

    Raises:
        FrameStoreError: They cannot be read, or are others than were extracted.
    """
    path = store_path(workplace, chunk.claim, chunk.run, chunk.episode)
    workplace.frames.fetch(path)
    found: list[int] = []
    try:
        for frame in read_frames(path):
            found.append(frame.pts)
            yield frame
    except FrameStoreError:
        workplace.frames.forget(path)
        raise
    if tuple(found) != chunk.expected_pts:
        workplace.frames.forget(path)
        raise FrameStoreError(f"{path}: holds other frames than were extracted; extracting again")


@outliving_cuts
def _chunks_of(database: Database, claims: Sequence[Claim]) -> list[_Tagging]:
    """All that is known of claimed chunks, read at once: each question costs a millisecond."""
    with database.read() as connection:
        runs = {run_id: get_run(connection, run_id) for run_id in {one.run_id for one in claims}}
        episodes = {run_id: get_episode(connection, run.episode_id) for run_id, run in runs.items()}
        return [
            _Tagging(
                claim,
                runs[claim.run_id],
                episodes[claim.run_id],
                extracted_chunk(connection, claim).sampled_pts,
            )
            for claim in claims
        ]


@outliving_cuts
def _write_tags(database: Database, chunk: _Tagging) -> None:
    with database.write() as connection:
        if complete_tagging(connection, chunk.claim):
            replace_tags(connection, chunk.claim, chunk.tags)
            finish_run_if_complete(connection, chunk.claim.run_id)
    log.info("tagged", extra=about(chunk.claim, tags=len(chunk.tags)))


def _tag(prediction: Prediction, episode: EpisodeRecord, pts: int) -> TagRecord:
    return TagRecord(
        pts=pts,
        label=prediction.label,
        region=prediction.region,
        confidence=prediction.confidence,
        seconds=float((pts - episode.start_pts) * episode.time_base),
    )
