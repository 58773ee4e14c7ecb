"""The Celery workers of this machine: one process for each step, each with its own pool.

They are separate because a process that classifies holds TensorFlow and one that extracts need not,
and because there is one classifier per GPU but one extractor per core.
"""

import logging
import os
import signal
import subprocess
import threading
import time
from collections.abc import Collection
from dataclasses import dataclass

from db.states import Step
from ingest.errors import ShortageError
from ingest.shortages import telling_shortages
from model.inference.device import Device
from model.interpreter import python_command
from worker.cluster.app import make_app
from worker.cluster.celery_process import CeleryOrder
from worker.gpus import usable_gpus
from worker.settings import Settings
from worker.telemetry.relay import Relay

POLL_SECONDS = 0.2
"""Polling interval of processes, which a person still perceives as immediate."""

STEADY_SECONDS = 10.0
"""A process that cannot start has ended by then; one that fails later had worked."""

PAUSE_SECONDS = 1.0
"""Pause before a process is restarted, so that one that ends immediately does not occupy a core."""

LAST_WORDS_SECONDS = 5.0
"""A pipe that stays open for longer is held by a process that outlived its parent."""

log = logging.getLogger(__name__)


@dataclass(frozen=True)
class WorkerOptions:
    """Options of the workers of this machine."""

    steps: tuple[Step, ...] = tuple(Step)
    concurrency: int | None = None
    """Processes for each step; None for the number that suits the machine."""
    device: Device = Device.AUTO
    until_idle: bool = False


class CeleryWorkers:
    """Celery workers that end together; one that dies during work is restarted.

    Celery's process may die when the broker does: acknowledging a message that was finished without
    a connection can raise AttributeError (Kombu 5.7). It also dies of a BrokenPipeError when it
    replaces a pool process after Billiard's semaphore tracker, a separate process, was killed
    (Billiard 4.3).

    Args:
        settings: Settings of an installation with a broker.
        options: Options of the workers.

    Raises:
        WorkerError: The broker's URL cannot be used.
    """

    def __init__(self, settings: Settings, options: WorkerOptions) -> None:
        make_app(settings)  # refuses an invalid URL before anything is started
        self._settings = settings
        self._options = options
        self._stopped = threading.Event()

    def stop(self) -> None:
        """Make `run` return soon; may be called from a signal handler."""
        self._stopped.set()

    def run(self) -> int:
        """Work until `stop`, or until the workers end or cannot start; return the exit code."""
        workers = [self._start(step) for step in self._options.steps]
        try:
            while not (self._stopped.wait(POLL_SECONDS) or _are_over(workers)):
                for place, worker in enumerate(workers):
                    workers[place] = self._revived(worker)
        finally:
            for worker in workers:
                worker.process.terminate()
            codes = [worker.process.wait() for worker in workers]
            for worker in workers:
                if worker.relay:
                    worker.relay.join(LAST_WORDS_SECONDS)
        # A process that had not started yet ends by the signal itself.
        return max((abs(code) for code in codes if code != -signal.SIGTERM), default=0)

    def _revived(self, worker: "_Worker") -> "_Worker":
        """Return the worker, or a replacement if it died during work."""
        if not worker.died_at_work:
            return worker
        log.warning("%s: ended with code %s; starts again", worker.step, worker.process.returncode)
        self._stopped.wait(PAUSE_SECONDS)
        try:
            with telling_shortages():
                return self._start(worker.step, takes_over=True)
        except ShortageError as error:
            log.warning("%s", error)
            return worker  # retried at the next poll

    def _start(self, step: Step, *, takes_over: bool = False) -> "_Worker":
        options = self._options
        concurrency = options.concurrency or self._default_concurrency(step)
        order = CeleryOrder(self._settings, step, concurrency, options.device, options.until_idle)
        in_json = self._settings.log_format == "json"
        process = subprocess.Popen(
            python_command("-m", "worker.cluster.celery_process"),
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE if in_json else None,
            stderr=subprocess.STDOUT if in_json else None,
            text=True,
            errors="replace",
            start_new_session=True,  # this process handles Ctrl-C in a terminal
        )
        assert process.stdin is not None
        process.stdin.write(order.to_json() + "\n")
        process.stdin.flush()  # and kept open: its end signals the end of this process
        relay = Relay(process.stdout, step) if process.stdout else None
        return _Worker(step, process, time.monotonic(), takes_over, relay)

    def _default_concurrency(self, step: Step) -> int:
        if step is Step.CLASSIFY:
            return len(usable_gpus(self._settings, self._options.device)) or 1
        return os.cpu_count() or 1


@dataclass(frozen=True)
class _Worker:
    step: Step
    process: subprocess.Popen[str]
    began_seconds: float
    takes_over: bool
    """Whether it replaces one that died during work: its own failure may be temporary then, as in
    an outage."""
    relay: Relay | None = None
    """Relays its output as log lines, where the log has to be JSON."""

    @property
    def died_at_work(self) -> bool:
        """Whether it ended with an error after a successful start."""
        is_steady = time.monotonic() - self.began_seconds > STEADY_SECONDS
        return bool(self.process.poll()) and (is_steady or self.takes_over)


def _are_over(workers: Collection[_Worker]) -> bool:
    """Whether all have ended cleanly, or one could not start."""
    failed = any(worker.process.poll() and not worker.died_at_work for worker in workers)
    return failed or all(worker.process.poll() == 0 for worker in workers)
