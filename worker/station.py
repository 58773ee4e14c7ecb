"""A process of a Celery worker: what it holds, and what it does when it hears of a chunk."""

import threading

from celery import Celery

from ingest.decoder import Decoder
from worker.claims import claim_step
from worker.classifiers import LoadedClassifiers
from worker.classifying import CLAIMED_AT_ONCE, classify_step
from worker.errors import WorkStoppedError
from worker.extracting import extract_step
from worker.identity import worker_identity
from worker.offering import offer, publish
from worker.workplace import Workplace


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
        self._decoder = Decoder(media_roots=place.settings.media_roots)
        self._classifiers = LoadedClassifiers(place.settings, device)
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
            try:
                is_extracted = extract_step(self._place, claim, self._decoder, self._check)
            except WorkStoppedError:
                is_extracted = False
            if is_extracted:
                publish(self._app, "classify", lane, [claim.chunk_id])
            else:
                offer(self._place, self._app)

    def classify(self, chunk_id: int, lane: str) -> None:
        """Classifies a chunk, unless others were faster, and as many more as fill a batch."""
        claims = claim_step(self._place, "extracted", self._identity, None, chunk_id=chunk_id)
        if not claims:
            return
        claims += claim_step(
            self._place, "extracted", self._identity, None, limit=CLAIMED_AT_ONCE - 1
        )
        classify_step(self._place, claims, self._classifiers.load)
        offer(self._place, self._app, ["extract"])

    def _check(self, _frames: int) -> None:
        if self._stopped.is_set():
            raise WorkStoppedError("stopped; the chunk is offered again")
