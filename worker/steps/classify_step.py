"""The step `classify`: read claimed chunks' frames from the frame store, and write tags."""

import logging
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import closing
from dataclasses import dataclass, field

from db.changes.writes import replace_tags
from db.queue.claimed import ClaimedChunk
from db.queue.completing import complete_taggings
from db.queue.free import CHUNKS_PER_GROUP
from db.records import Claim, EpisodeRecord, TagRecord
from db.retrying import retry_on_disconnect
from db.states import Statistic
from ingest.errors import FrameStoreError, ShortageError, StorageFullError, StorageUnreachable
from ingest.shortages import telling_shortages, what_is_lacking
from ingest.storage.frame_store import StoredFrame, read_frames
from model.inference.classifier import Classifier, Prediction
from worker.installation import Installation
from worker.on_done import note_end
from worker.steps.claims import chunks_of, give_back, record_failure, store_path
from worker.steps.finish import finish_run_if_complete
from worker.steps.lease import LeaseKeeper
from worker.steps.reading_ahead import in_parts_read_ahead
from worker.steps.statistics import StatisticsRecorder
from worker.telemetry.log import about

FRAMES_AT_ONCE = 320
"""Frames in memory, or one batch where that is more: 20 batches of 64 pictures, and 47 MB of
256x192 pixels. The same number is read ahead."""

MOST_AT_ONCE = 64
"""Chunks that fill the largest batches; a killed process has to repeat them."""

PLACE_DIGITS = 4
"""Decimals of places as shares: a fifth of a pixel of full HD, and coarser than the effect of
another grouping of frames into batches."""

log = logging.getLogger(__name__)


def classify_step(
    installation: Installation,
    claims: Sequence[Claim],
    classifier_for: Callable[[str], Classifier],
) -> None:
    """Classify claimed chunks like `classify_chunks`."""
    try:
        chunks = chunks_of(installation.database, claims)
    except BaseException:
        give_back(installation.database, claims)
        raise
    classify_chunks(installation, chunks, classifier_for)


def classify_chunks(
    installation: Installation,
    chunks: Sequence[ClaimedChunk],
    classifier_for: Callable[[str], Classifier],
) -> None:
    """Classify claimed chunks and write their tags; end the runs that are complete with them.

    Chunks that never failed share forward passes; one that did is tried separately, so that it does
    not make others fail.

    Args:
        installation: The installation: settings and database.
        chunks: Chunks in state `extracted`.
        classifier_for: Returns the classifier of a model version, by its SHA-256.

    Raises:
        ModelError: A model version cannot be loaded; the chunks are offered again.
        StorageUnreachable: The frame store does not answer; the chunks are offered again.
        StorageFullError: There is no local space for a copy of it; the chunks are offered again.
        ShortageError: This machine lacks memory, threads or open files; the chunks are offered
            again.
    """
    groups: dict[tuple[str, int | None], list[_Tagging]] = {}
    for chunk in chunks:
        alone = None if chunk.claim.attempts == 1 else chunk.claim.chunk_id
        groups.setdefault((chunk.model_sha256, alone), []).append(_Tagging(chunk))
    left = [chunk.claim for chunk in chunks]
    try:
        with (
            telling_shortages(),
            LeaseKeeper(installation.database, left, installation.settings.lease_seconds),
        ):
            for (model_sha256, _), group in groups.items():
                try:
                    classifier = classifier_for(model_sha256)
                except BaseException:
                    # No chunk's fault: a missing model or device would make all others fail too.
                    give_back(installation.database, left)
                    raise
                _classify_group(installation, group, classifier)
                done = [tagging.chunk.claim for tagging in group]
                left = [claim for claim in left if claim not in done]
    except (ShortageError, StorageFullError, StorageUnreachable):
        give_back(installation.database, left)
        raise


def chunks_that_fill(frames_per_batch: int, frames_per_chunk: int) -> int:
    """Return how many chunks to claim together so that batches are full: at least a group."""
    filling = -(-frames_per_batch // max(frames_per_chunk, 1))
    return min(max(filling, CHUNKS_PER_GROUP), MOST_AT_ONCE)


@dataclass
class _Tagging:
    """A chunk whose frames are being classified."""

    chunk: ClaimedChunk
    tags: list[TagRecord] = field(default_factory=list)


_Part = list[tuple[_Tagging, StoredFrame]]
"""Frames that are classified together."""


def _classify_group(
    installation: Installation, group: Sequence[_Tagging], classifier: Classifier
) -> None:
    whole: list[_Tagging] = []
    batches = max(1, FRAMES_AT_ONCE // classifier.frames_per_batch)
    frames = _frames_of_all(installation, group, whole)
    try:
        # closed before a failure is recorded: nothing reads these chunks any more
        with closing(in_parts_read_ahead(frames, batches * classifier.frames_per_batch)) as parts:
            while part := _next_part(parts, installation.statistics):
                _classify(part, classifier, installation)
    except _ClassifyingError as error:
        for tagging in group:  # those whose failure is recorded already are not held any more
            record_failure(installation, tagging.chunk.claim, str(error), lost=False)
        return
    # A transaction for each run: one that locks two may deadlock with one in the opposite order.
    by_run: dict[int, dict[Claim, Sequence[TagRecord]]] = {}
    for tagging in whole:
        claim = tagging.chunk.claim
        by_run.setdefault(claim.run_id, {})[claim] = tagging.tags
    for tags in by_run.values():
        _write_tags(installation, tags)
    installation.statistics.write(installation.database)


def _frames_of_all(
    installation: Installation, group: Sequence[_Tagging], whole: list[_Tagging]
) -> Iterator[tuple[_Tagging, StoredFrame]]:
    """Yield the frames of all chunks; chunks that were read to the end are added to `whole`."""
    for tagging in group:
        try:
            for frame in _frames(installation, tagging.chunk):
                yield tagging, frame
        except StorageFullError:
            raise  # no chunk's fault: all others would fail in the same way
        except FrameStoreError as error:
            if what_is_lacking(error):
                raise
            claim = tagging.chunk.claim
            record_failure(installation, claim, str(error), lost=False, extract_again=True)
            continue
        whole.append(tagging)


def _next_part(parts: Iterator[_Part], statistics: StatisticsRecorder) -> _Part:
    """Return the next frames to classify; none at the end."""
    run_ids: list[int] = []
    with statistics.timed(Statistic.READ, run_ids):
        part = next(parts, [])
        run_ids += _run_ids(part)
    return part


def _run_ids(part: _Part) -> list[int]:
    return [tagging.chunk.claim.run_id for tagging, _ in part]


class _ClassifyingError(Exception):
    """The network failed on these frames, for any reason."""


def _classify(part: _Part, classifier: Classifier, installation: Installation) -> None:
    """Classify frames, and add the predictions to their chunks."""
    run_ids = _run_ids(part)
    try:
        with installation.statistics.timed(Statistic.DEVICE, run_ids):
            predictions = classifier.classify([frame.picture for _, frame in part])
    except Exception as error:
        if what_is_lacking(error):
            raise
        raise _ClassifyingError(" ".join(str(error).split())) from error
    installation.statistics.add(Statistic.FRAMES, run_ids, len(part))
    installation.statistics.add(
        Statistic.PLACES, run_ids, len(part) / classifier.batch_fill(len(part))
    )
    for (tagging, frame), found in zip(part, predictions, strict=True):
        tagging.tags.extend(_tag(item, tagging.chunk.episode, frame.pts) for item in found)
    installation.metrics.count_classified(len(part), classifier)


def _frames(installation: Installation, chunk: ClaimedChunk) -> Iterator[StoredFrame]:
    """Yield a claimed chunk's frames from the store.

    Raises:
        FrameStoreError: They cannot be read, or differ from the extracted ones.
    """
    path = store_path(installation, chunk)
    installation.frames.fetch(path)
    found: list[int] = []
    try:
        for frame in read_frames(path):
            found.append(frame.pts)
            yield frame
    except FrameStoreError as error:
        if not what_is_lacking(error):
            installation.frames.forget(path)
        raise
    if tuple(found) != chunk.sampled_pts:
        installation.frames.forget(path)
        raise FrameStoreError(f"{path}: holds other frames than were extracted; extracting again")


@retry_on_disconnect
def _write_tags(installation: Installation, tags: Mapping[Claim, Sequence[TagRecord]]) -> None:
    """Write the tags of one run's chunks, except those whose claim was lost meanwhile."""
    run_ids = [claim.run_id for claim in tags]
    with (
        installation.statistics.timed(Statistic.DATABASE, run_ids),
        installation.database.write() as connection,
    ):
        held = complete_taggings(connection, list(tags))
        if held:
            replace_tags(connection, {claim: tags[claim] for claim in held})
            if finish_run_if_complete(connection, held[0].run_id):
                note_end(connection, installation.settings, held[0].run_id)
    for claim in held:
        log.info("tagged", extra=about(claim, tags=len(tags[claim])))


def _tag(prediction: Prediction, episode: EpisodeRecord, pts: int) -> TagRecord:
    return TagRecord(
        pts=pts,
        label=prediction.label,
        region=prediction.region,
        confidence=prediction.confidence,
        seconds=float(episode.seconds_at(pts)),
        place=prediction.place and prediction.place.rounded(PLACE_DIGITS),
    )
