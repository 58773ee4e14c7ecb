"""A process of a Celery worker: what it holds, and what it does when it hears of a chunk."""

import threading
import time

from celery import Celery
from celery.utils.log import get_task_logger

from db.cuts import outliving_cuts
from db.engine import Database
from db.offers import WaitingChunk, waiting_chunk
from db.records import Claim
from ingest.decoder import Decoder
from ingest.errors import FrameStoreError, StorageUnreachable, VideoError
from model.errors import ModelError
from worker.app import SOFT_LIMIT_SECONDS
from worker.claims import claim_step
from worker.classifiers import LoadedClassifiers
from worker.classifying import chunks_that_fill, classify_step
from worker.errors import WorkerError, WorkStoppedError
from worker.extracting import extract_step
from worker.identity import worker_identity
from worker.offering import offer, publish, top_up
from worker.workplace import Workplace

logger = get_task_logger(__name__)

OTHERS_FIRST_SECONDS = 5.0
"""As long as the sweeper lets a chunk lie."""

LONGEST_EXTRACTION_SECONDS = SOFT_LIMIT_SECONDS - 30
"""Before Celery ends the task: so it is written down against the chunk, which is then split."""


class Station:
    """One process's place in the work.

    Args:
        place: Settings and database.
        app: Publishes what comes next.
        device: Where to classify.
    """

    def __init__(self, place: Workplace, app: Celery, device: str) -> None:
        self._place = place
        self._app = app
        self._decoder = Decoder(media_roots=place.settings.readable_roots)
        self._classifiers = LoadedClassifiers(place.settings, device, probes=True)
        self._identity = worker_identity()
        self._stopped = threading.Event()

    def stop(self) -> None:
        """Makes the step that is under way end soon; may be called from a signal handler."""
        self._stopped.set()

    def close(self) -> None:
        """Ends the decoder process."""
        self._decoder.close()

    def extract(self, chunk_id: int, lane: str) -> None:
        """Extracts a chunk, unless others were faster, and says that it can be classified."""
        for claim in claim_step(self._place, "queued", self._identity, None, chunk_id=chunk_id):
            if self._extract(claim):
                publish(self._app, "classify", lane, [claim.chunk_id])
            else:
                offer(self._place, self._app)

    def classify(self, chunk_id: int) -> None:
        """Classifies a chunk, unless others were faster, and as many more as fill a batch."""
        try:
            if classified := self._classify(chunk_id):
                top_up(self._place, self._app, classified)
        except (ModelError, StorageUnreachable) as error:
            self._let_others_go_first(error)

    def _extract(self, claim: Claim) -> bool:
        until_seconds = time.monotonic() + LONGEST_EXTRACTION_SECONDS

        def check(_frames: int) -> None:
            if self._stopped.is_set():
                raise WorkStoppedError("stopped; the chunk is offered again")
            if time.monotonic() > until_seconds:
                raise VideoError(f"took longer than {LONGEST_EXTRACTION_SECONDS} s")

        try:
            return extract_step(self._place, claim, self._decoder, check)
        except WorkStoppedError:
            return False
        except (FrameStoreError, StorageUnreachable, WorkerError) as error:
            self._let_others_go_first(error)
            return False

    def _classify(self, chunk_id: int) -> int:
        """Classifies a chunk and others; how many in all, 0 if others were faster."""
        waiting = _waiting(self._place.database, chunk_id)
        if waiting is None:
            return 0
        # Before any claim: what takes long here should not hold a chunk.
        classifier = self._classifiers.load(waiting.model_sha256)
        claims = claim_step(self._place, "extracted", self._identity, None, chunk_id=chunk_id)
        if not claims:
            return 0
        more = chunks_that_fill(classifier.frames_per_batch, waiting.frames) - 1
        claims += claim_step(self._place, "extracted", self._identity, None, limit=more)
        classify_step(self._place, claims, self._classifiers.load)
        return len(claims)

    def _let_others_go_first(self, error: Exception) -> None:
        """Waits after what is no chunk's fault: a process that cannot work would drain the queue.

        The chunk is free again, and the sweeper offers it.
        """
        logger.error("%s", " ".join(str(error).split()))
        self._stopped.wait(OTHERS_FIRST_SECONDS)


@outliving_cuts
def _waiting(database: Database, chunk_id: int) -> WaitingChunk | None:
    with database.read() as connection:
        return waiting_chunk(connection, chunk_id)
