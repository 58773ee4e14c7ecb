"""A thread that recovers lost chunks and messages; one worker at a time does so for all.

Every worker tidies the disks of its own machine itself.
"""

import logging
import threading
import time
from collections.abc import Callable
from contextlib import suppress

from celery import Celery

from db.errors import DatabaseCutError, DatabaseError
from db.queue.alive import AliveWorker
from db.queue.claims import open_chunk_count
from db.queue.duties import leave_duty, take_duty
from db.retrying import retry_on_disconnect
from db.states import Step
from ingest.errors import IngestError
from ingest.shortages import telling_shortages
from worker.alive import say_alive, say_gone
from worker.cluster.offering import offer
from worker.errors import BrokerError
from worker.identity import worker_identity
from worker.installation import Installation
from worker.steps.claims import sweep
from worker.storage import TIDY_SECONDS, tidy_storage

logger = logging.getLogger(__name__)

SWEEP_SECONDS = 5.0
"""Interval of sweeps: short beside a lease of a minute, and only a few queries for the database."""

DUTY_SECONDS = 30.0
"""Lease of the duty: longer than a sweep takes while the broker is frozen; a dead sweeper is
replaced after it."""


class Sweeper:
    """Offers chunks again whose worker vanished or whose message was lost, until the block ends."""

    def __init__(
        self, installation: Installation, app: Celery, step: Step, on_idle: Callable[[], None]
    ) -> None:
        self._installation = installation
        self._app = app
        self._on_idle = on_idle
        self._identity = worker_identity()
        self._alive = AliveWorker(self._identity, (step,))
        self._left = threading.Event()
        self._thread = threading.Thread(target=self._run, name="sweeper", daemon=True)

    def __enter__(self) -> "Sweeper":
        self._thread.start()
        return self

    def __exit__(self, *_: object) -> None:
        self._left.set()
        self._thread.join()
        say_gone(self._installation.database, self._alive)
        # Where the database does not answer, the duty ends by itself.
        with suppress(DatabaseCutError), self._installation.database.write() as connection:
            leave_duty(connection, "sweep", self._identity)

    def _run(self) -> None:
        next_tidying = 0.0
        while True:
            try:
                with telling_shortages():
                    if time.monotonic() >= next_tidying:
                        next_tidying = time.monotonic() + TIDY_SECONDS
                        tidy_storage(self._installation)
                    say_alive(self._installation.database, self._alive)
                    if self._is_on_duty():
                        self._look()
                    if self._is_idle():
                        self._on_idle()
            except (BrokerError, DatabaseError, IngestError, OSError) as error:
                logger.warning("%s", error)
            if self._left.wait(SWEEP_SECONDS):
                return

    def _look(self) -> None:
        lost = sweep(self._installation)
        offered = offer(self._installation, self._app)
        if lost or offered:
            logger.info("%d chunks were lost, %d offered again", lost, offered)

    @retry_on_disconnect
    def _is_on_duty(self) -> bool:
        with self._installation.database.write() as connection:
            return take_duty(connection, "sweep", self._identity, DUTY_SECONDS)

    @retry_on_disconnect
    def _is_idle(self) -> bool:
        with self._installation.database.read() as connection:
            return open_chunk_count(connection) == 0
