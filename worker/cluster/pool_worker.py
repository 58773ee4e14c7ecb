"""A process of a Celery worker: its state, and its work on announced chunks."""

import threading
import time
from collections.abc import Sequence
from functools import partial
from itertools import takewhile

from celery import Celery
from celery.utils.log import get_task_logger

from db.queue.claimed import ClaimedChunk
from db.queue.free import CHUNKS_PER_GROUP
from db.queue.offers import WaitingChunk
from db.records import Claim
from db.states import Lane, Step
from ingest.decoder.parent import Decoder
from ingest.errors import (
    FrameStoreError,
    ShortageError,
    StorageFullError,
    StorageUnreachable,
    VideoError,
)
from ingest.shortages import telling_shortages
from model.errors import ModelError
from model.inference.device import Device
from worker.cluster.app import SOFT_LIMIT_SECONDS
from worker.cluster.offering import messages_in, offer, publish, suppressing_broker_errors, top_up
from worker.errors import BrokerError, WorkerError, WorkStoppedError
from worker.identity import worker_identity
from worker.installation import Installation
from worker.steps.claims import claim_to_classify, claim_to_extract
from worker.steps.classifiers import LoadedClassifiers
from worker.steps.classify_step import chunks_that_fill, classify_chunks
from worker.steps.extract_step import BEGUN_WITHIN_SECONDS, extract_group

logger = get_task_logger(__name__)

OTHERS_FIRST_SECONDS = 5.0
"""The time after which the sweeper offers a free chunk."""

LONGEST_EXTRACTION_SECONDS = SOFT_LIMIT_SECONDS - 30 - BEGUN_WITHIN_SECONDS
"""Time limit before Celery ends the task, whose last chunk may have begun this late: a timeout is
then recorded against the chunk, which is split."""

LANE_CHECK_SECONDS = 2.0
"""Interval of checks for interactive work in the middle of a group: about a chunk."""

UNANSWERED_SECONDS = 60.0
"""Time until a broker that did not answer is queried again; until then workers receive nothing
anyway."""

SHARING_PROCESSES = 16
"""With fewer waiting groups than this, a process takes only a share of their chunks, as if it were
one of this many processes: a single episode is spread over the processes of some machines, chunk by
chunk."""


class PoolWorker:
    """The state of one process of a worker.

    Args:
        installation: The installation: settings and database.
        app: The app, which publishes the next messages.
        device: Device to classify on.
    """

    def __init__(self, installation: Installation, app: Celery, device: Device) -> None:
        self._installation = installation
        self._app = app
        self._decoder = Decoder(media_roots=installation.settings.readable_roots)
        self._classifiers = LoadedClassifiers(installation.settings, device, probes=True)
        self._identity = worker_identity()
        self._stopped = threading.Event()
        self._asks_from_seconds = self._checks_lanes_from_seconds = 0.0

    def stop(self) -> None:
        """Make the current step end soon; may be called from a signal handler."""
        self._installation.database.patience.hurry()
        self._stopped.set()

    def close(self) -> None:
        """End the decoder process, and write the statistics."""
        self._decoder.close()
        self._installation.statistics.write(self._installation.database, at_once=True)

    def extract(self, chunk_id: int, lane: Lane) -> None:
        """Extract a chunk and its group, unless others were faster; notify classifiers."""
        try:
            with telling_shortages():
                self._extract_and_tell(chunk_id, lane)
        except ShortageError as error:
            self._let_others_go_first(error)

    def _extract_and_tell(self, chunk_id: int, lane: Lane) -> None:
        self._checks_lanes_from_seconds = time.monotonic() + LANE_CHECK_SECONDS
        most = self._share(lane)
        chunks, rest = claim_to_extract(self._installation, self._identity, chunk_id, most)
        if not chunks:
            return
        if rest is not None:
            with suppressing_broker_errors():
                publish(self._app, Step.EXTRACT, lane, [rest])
        extracted = self._extract(chunks, lane)
        if extracted:
            publish(self._app, Step.CLASSIFY, lane, [extracted[0].chunk_id])
        if len(extracted) < len(chunks):
            offer(self._installation, self._app)

    def _share(self, lane: Lane) -> int:
        """Return how many chunks of a group to extract: few where other processes may lack work."""
        waiting = self._messages_in(Step.EXTRACT, lane, otherwise=SHARING_PROCESSES)
        if waiting < SHARING_PROCESSES:  # does classification limit the throughput?
            waiting += self._messages_in(Step.CLASSIFY, lane, otherwise=0)
        return min(max(waiting * CHUNKS_PER_GROUP // SHARING_PROCESSES, 1), CHUNKS_PER_GROUP)

    def _is_first(self, lane: Lane) -> bool:
        """Whether no message waits in a lane of higher priority, checked now and then."""
        if time.monotonic() < self._checks_lanes_from_seconds:
            return True
        self._checks_lanes_from_seconds = time.monotonic() + LANE_CHECK_SECONDS
        before = takewhile(lambda one: one is not lane, Lane)
        return not any(self._messages_in(Step.EXTRACT, one, otherwise=0) for one in before)

    def _messages_in(self, step: Step, lane: Lane, *, otherwise: int) -> int:
        """Return the number of waiting messages, or `otherwise` if the broker does not answer.

        In that case it is not queried again for a while: each attempt takes seconds.
        """
        if time.monotonic() >= self._asks_from_seconds:
            try:
                return messages_in(self._app, step, lane)
            except BrokerError as error:
                logger.warning("%s", error)
                self._asks_from_seconds = time.monotonic() + UNANSWERED_SECONDS
        return otherwise

    def classify(self, chunk_id: int) -> None:
        """Classify a chunk, unless others were faster, and as many more as fill a batch."""
        try:
            with telling_shortages():
                if classified := self._classify(chunk_id):
                    top_up(self._installation, self._app, classified)
        except (ModelError, ShortageError, StorageFullError, StorageUnreachable) as error:
            self._let_others_go_first(error)

    def _extract(self, chunks: Sequence[ClaimedChunk], lane: Lane) -> Sequence[Claim]:
        """Extract claimed chunks; return the claims that succeeded."""
        began: dict[Claim, float] = {}

        def check(claim: Claim, _frames: int) -> None:
            if self._stopped.is_set():
                raise WorkStoppedError("stopped; the remaining chunks are offered again")
            now = time.monotonic()
            if now > began.setdefault(claim, now) + LONGEST_EXTRACTION_SECONDS:
                raise VideoError(f"took longer than {LONGEST_EXTRACTION_SECONDS} s")

        try:
            goes_on = partial(self._is_first, lane)
            return extract_group(self._installation, chunks, self._decoder, check, goes_on)
        except WorkStoppedError:
            return ()
        except (FrameStoreError, StorageUnreachable, WorkerError) as error:
            self._let_others_go_first(error)
            return ()

    def _classify(self, chunk_id: int) -> int:
        """Classify a chunk's group and others; return how many, 0 if others were faster."""
        waiting, chunks = self._claim_to_classify(chunk_id)
        if waiting and not chunks:
            # Before any claim: slow loading should not hold a chunk.
            self._classifiers.load(waiting.model_sha256)
            _, chunks = self._claim_to_classify(chunk_id)
        if chunks:
            classify_chunks(self._installation, chunks, self._classifiers.load)
        return len(chunks)

    def _claim_to_classify(self, chunk_id: int) -> tuple[WaitingChunk | None, list[ClaimedChunk]]:
        """Claim chunks that fill a batch of the loaded classifier; none for another model."""

        def most_of(waiting: WaitingChunk) -> int:
            classifier = self._classifiers.loaded(waiting.model_sha256)
            return (
                chunks_that_fill(classifier.frames_per_batch, waiting.frames) if classifier else 0
            )

        return claim_to_classify(self._installation, self._identity, chunk_id, most_of)

    def _let_others_go_first(self, error: Exception) -> None:
        """Wait after an error that no chunk caused: a broken process would drain the queue.

        The chunk is free again, and the sweeper offers it.
        """
        logger.error("%s", " ".join(str(error).split()))
        self._stopped.wait(OTHERS_FIRST_SECONDS)
