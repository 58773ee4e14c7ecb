"""The embedded runner: all steps on this machine, no server.

One thread per decoder process claims and extracts; one classify process, the only one with
TensorFlow, claims and classifies. The queue of record is the database, so any of these may be
killed at any time, including this process, and the next start continues where they stopped.
"""

import logging
import threading
import time
from collections.abc import Callable, Sequence
from contextlib import AbstractContextManager, nullcontext
from dataclasses import dataclass, replace

from db.library.runs import RunProgress, run_progress
from db.queue.alive import AliveWorker
from db.queue.claims import open_chunk_count
from db.records import Claim
from db.retrying import retry_on_disconnect
from db.states import ChunkState
from ingest.decoder.parent import Decoder
from ingest.errors import ShortageError
from ingest.shortages import telling_shortages
from model.inference.device import Device
from worker.alive import say_alive, say_gone
from worker.embedded.classify_child import ClassifyChild
from worker.embedded.classify_process import SHORTAGE_SECONDS, ClassifyOrder
from worker.errors import WorkStoppedError
from worker.identity import worker_identity
from worker.installation import Installation
from worker.on_done import Teller
from worker.steps.claims import claim_step, sweep
from worker.steps.extract_step import extract_step
from worker.storage import TIDY_SECONDS, tidy_storage
from worker.telemetry.metrics import serve_metrics

POLL_SECONDS = 0.2
"""Polling interval of processes and progress, which a person still perceives as immediate."""

SWEEP_SECONDS = 5.0
"""Interval of searches for claims whose worker vanished; short beside a lease of a minute."""

log = logging.getLogger(__name__)


@dataclass(frozen=True)
class RunnerOptions:
    """Options of the embedded runner."""

    extract_processes: int
    device: Device = Device.AUTO
    run_ids: tuple[int, ...] | None = None
    """Work on these runs only; None for all."""
    model_sha256: str | None = None
    """The model version to load before the first chunk is extracted."""
    until_idle: bool = True
    """End when the queue is empty; False waits for more."""


class EmbeddedRunner:
    """Runs the steps of open chunks until none is left or `stop` is called.

    Args:
        installation: The installation: settings and database.
        options: Options of the runner.
        make_decoder: Creates the decoder of each extract thread.
    """

    def __init__(
        self,
        installation: Installation,
        options: RunnerOptions,
        make_decoder: Callable[[], Decoder],
    ) -> None:
        self._installation = installation
        self._options = options
        self._make_decoder = make_decoder
        self._identity = worker_identity()
        self._alive = AliveWorker(self._identity, run_ids=options.run_ids)
        self._stopped = threading.Event()
        self._failure: BaseException | None = None
        # Frames decoded so far of each chunk in progress; written by the thread that decodes it.
        self._under_way: dict[Claim, int] = {}
        self._next_sweep = self._next_tidying = 0.0

    def stop(self) -> None:
        """Make `run` return soon; may be called from a signal handler or another thread."""
        self._installation.database.patience.hurry()
        self._stopped.set()

    def run(self, on_progress: Callable[[Sequence[RunProgress]], None] | None = None) -> bool:
        """Work until nothing is left, or until `stop`.

        Args:
            on_progress: Called a few times a second with the progress of the runs.

        Returns:
            True when nothing is left to do, False when it was stopped.

        Raises:
            FrameStoreError: The frame store cannot be written.
            ShortageError: This machine lacks resources to start.
            DatabaseError: The database cannot be used.
            WorkerError: The classify process cannot work, or the metrics' port is in use.
        """
        try:
            with self._shown_metrics(), telling_shortages(), Teller(self._installation):
                finished = self._run(on_progress)
        finally:
            say_gone(self._installation.database, self._alive)
        self._installation.statistics.write(self._installation.database, at_once=True)
        return finished

    def _shown_metrics(self) -> AbstractContextManager[None]:
        if self._options.run_ids is not None:
            return nullcontext()  # `castline tag` may run beside a worker that serves metrics
        return serve_metrics(self._installation.settings, self._installation.database)

    def _run(self, on_progress: Callable[[Sequence[RunProgress]], None] | None) -> bool:
        order = ClassifyOrder(
            self._installation.settings,
            self._options.device,
            self._options.run_ids,
            self._options.model_sha256,
        )
        child = ClassifyChild(order)
        threads = [
            threading.Thread(target=self._extract_until_stopped, name=f"extract {number}")
            for number in range(self._options.extract_processes)
        ]
        try:
            self._sweep_and_tidy(at_once=True)
            for thread in threads:
                thread.start()
            return self._watch(child, on_progress)
        finally:
            self._stopped.set()
            for thread in threads:
                if thread.ident is not None:
                    thread.join()
            child.stop()

    def _watch(
        self,
        child: ClassifyChild,
        on_progress: Callable[[Sequence[RunProgress]], None] | None,
    ) -> bool:
        while True:
            if self._failure is not None:
                raise self._failure
            self._sweep_and_tidy(self._keep_alive(child))
            left, progress = self._look(with_progress=on_progress is not None)
            if on_progress:
                on_progress([self._with_work_under_way(run) for run in progress])
            if left == 0 and self._options.until_idle:
                return True
            if self._stopped.wait(POLL_SECONDS):
                if self._failure is not None:
                    raise self._failure
                return False

    def _keep_alive(self, child: ClassifyChild) -> bool:
        try:
            with telling_shortages():
                return child.ensure_alive()
        except ShortageError as error:
            self._wait_out(error)
            return False

    @retry_on_disconnect
    def _look(self, *, with_progress: bool) -> tuple[int, Sequence[RunProgress]]:
        """Return the number of open chunks, and the progress of the runs if it is requested."""
        run_ids = self._options.run_ids
        with self._installation.database.read() as connection:
            progress = run_progress(connection, run_ids) if with_progress else ()
            return open_chunk_count(connection, run_ids), progress

    def _sweep_and_tidy(self, at_once: bool) -> None:
        now = time.monotonic()
        if at_once or now >= self._next_sweep:
            say_alive(self._installation.database, self._alive)
            sweep(self._installation)
            self._next_sweep = time.monotonic() + SWEEP_SECONDS
        if now >= self._next_tidying:
            tidy_storage(self._installation)
            self._next_tidying = time.monotonic() + TIDY_SECONDS

    def _extract_until_stopped(self) -> None:
        try:
            with self._make_decoder() as decoder:
                while not self._stopped.is_set():
                    try:
                        with telling_shortages():
                            self._extract_next(decoder)
                    except ShortageError as error:
                        self._wait_out(error)
        except WorkStoppedError:
            pass
        except BaseException as error:
            self._failure = error
            self._stopped.set()

    def _wait_out(self, error: ShortageError) -> None:
        log.error("%s", error)
        self._stopped.wait(SHORTAGE_SECONDS)

    def _extract_next(self, decoder: Decoder) -> None:
        claims = claim_step(
            self._installation, ChunkState.QUEUED, self._identity, self._options.run_ids
        )
        if not claims:
            self._stopped.wait(POLL_SECONDS)
            return
        [claim] = claims

        def check(frames: int) -> None:
            if self._stopped.is_set():
                raise WorkStoppedError("stopped; start again to go on where it stopped")
            self._under_way[claim] = frames

        try:
            extract_step(self._installation, claim, decoder, check)
        finally:
            self._under_way.pop(claim, None)

    def _with_work_under_way(self, run: RunProgress) -> RunProgress:
        frames = sum(
            count for claim, count in self._under_way.copy().items() if claim.run_id == run.run_id
        )
        seconds = run.extracted_seconds + float(frames / run.frame_rate)
        return replace(run, extracted_seconds=min(seconds, run.duration_seconds))
