"""A Celery worker of this machine: a main process that hears messages, and a pool that works."""

import os
import signal
import socket
import threading
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

from celery import signals
from celery.worker import state

from ingest.frame_store import FrameStore
from worker.app import LANES, STEPS, make_app, queue_name
from worker.claims import sweep
from worker.runner import LEFTOVER_SECONDS
from worker.sweeper import Sweeper
from worker.tasks import STOP_SIGNAL
from worker.workplace import Workplace

STOP_SECONDS = 55.0
"""A step that is asked to stop does so within a second, one that cannot be asked ends within a few;
after this time they are killed, so that the worker is gone within a minute and five seconds."""


@dataclass(frozen=True)
class WorkerOptions:
    """How a Celery worker works."""

    steps: tuple[str, ...] = STEPS
    concurrency: int = 1
    device: str = "auto"
    until_idle: bool = False


def serve(place: Workplace, options: WorkerOptions) -> int:
    """Works on chunks that messages tell of, until it is told to stop.

    Returns:
        The exit code.

    Raises:
        WorkerError: The broker's URL cannot be used.
        DatabaseError: The database cannot be used.
    """
    app = make_app(place.settings, options.device)
    FrameStore(place.settings.frames_folder).remove_leftovers(LEFTOVER_SECONDS)
    worker = app.Worker(
        hostname=f"{'-'.join(options.steps)}-{os.getpid()}@{socket.gethostname()}",
        queues=_queues(options.steps),
        concurrency=options.concurrency,
        loglevel="WARNING",
        quiet=True,
        # Workers need not know of each other: the database says who does what.
        without_gossip=True,
        without_mingle=True,
    )
    signals.worker_shutting_down.connect(_stop_steps, weak=False)

    def on_idle() -> None:
        if options.until_idle:
            state.should_stop = 0

    try:
        with Sweeper(place, app, on_idle):
            worker.start()
    finally:
        sweep(place.database)  # what was killed instead of ended is free at once
    return int(worker.exitcode or 0)


def _queues(steps: Sequence[str]) -> list[str]:
    return [queue_name(step, lane) for lane in LANES for step in reversed(STEPS) if step in steps]


def _stop_steps(**_: Any) -> None:
    for request in tuple(state.active_requests):
        if request.worker_pid:
            os.kill(request.worker_pid, STOP_SIGNAL)
    # SIGQUIT makes Celery kill what is left.
    timer = threading.Timer(STOP_SECONDS, os.kill, [os.getpid(), signal.SIGQUIT])
    timer.daemon = True
    timer.start()
