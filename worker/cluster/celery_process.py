"""A Celery worker's main process: `python -m worker.cluster.celery_process`.

It reads one JSON line with its order from stdin, receives messages until it is told to stop or
stdin ends, which also happens when the process that started it is killed, and has the work done by
a pool of processes.
"""

import json
import logging
import os
import signal
import socket
import sys
import threading
from dataclasses import asdict, dataclass
from typing import Any

from celery import signals
from celery.apps.worker import Worker
from celery.worker import state

from db.errors import DatabaseCutError, DatabaseError
from db.patience import patience_of_worker
from db.states import Lane, Step
from model.inference.device import Device
from worker.cluster.app import make_app, queue_name
from worker.cluster.door import set_up_door
from worker.cluster.sweeper import Sweeper
from worker.cluster.tasks import STOP_SIGNAL
from worker.errors import WorkerError
from worker.installation import Installation, open_installation
from worker.on_done import Teller
from worker.settings import Settings
from worker.steps.claims import sweep
from worker.telemetry.log import configure_logging
from worker.visible import visible

STOP_SECONDS = 55.0
"""Time to stop: a step that is asked to stop does so within a second, one that cannot be asked ends
within a few; after this time they are killed, so that the worker is gone within a minute and five
seconds."""

log = logging.getLogger(__name__)


@dataclass(frozen=True)
class CeleryOrder:
    """The order that a Celery worker receives when it starts."""

    settings: Settings
    step: Step
    concurrency: int
    device: Device
    until_idle: bool

    def to_json(self) -> str:
        """Serialise to one line."""
        return json.dumps(asdict(self) | {"settings": self.settings.to_json()})

    @classmethod
    def from_json(cls, line: str) -> "CeleryOrder":
        """Parse the output of `to_json`."""
        values = json.loads(line)
        return cls(
            Settings.from_json(values["settings"]),
            Step(values["step"]),
            values["concurrency"],
            Device(values["device"]),
            values["until_idle"],
        )


def work(installation: Installation, order: CeleryOrder) -> int:
    """Work on chunks announced by messages until told to stop; return the exit code."""
    app = make_app(installation.settings, order.device)
    set_up_door(app, installation.metrics.count_refused_message)
    worker: Worker = app.Worker(
        hostname=f"{order.step}-{os.getpid()}@{socket.gethostname()}",
        queues=[queue_name(order.step, lane) for lane in Lane],
        concurrency=order.concurrency,
        loglevel="WARNING",
        quiet=True,
        # Workers need not know of each other: the database assigns the work.
        without_gossip=True,
        without_mingle=True,
    )

    def stop(**_: Any) -> None:
        installation.database.patience.hurry()
        _stop_steps()

    signals.worker_shutting_down.connect(stop)
    threading.Thread(target=_stop_at_end_of_input, daemon=True).start()
    try:
        on_idle = _stop if order.until_idle else lambda: None
        with Sweeper(installation, app, order.step, on_idle), Teller(installation):
            worker.start()
    finally:
        _sweep_at_the_end(installation)
    return int(worker.exitcode or 0)


def _sweep_at_the_end(installation: Installation) -> None:
    """Free the claims of killed processes immediately; if this fails, the next sweep does so."""
    try:
        sweep(installation)
    except DatabaseCutError as error:
        log.warning("%s", error)


def main() -> int:
    """Run the process."""
    order = CeleryOrder.from_json(sys.stdin.readline())
    configure_logging(order.settings.log_format)
    try:
        patience = patience_of_worker(stays=not order.until_idle)
        with open_installation(order.settings, patience) as installation:
            return work(installation, order)
    except (DatabaseError, WorkerError) as error:
        print(visible(f"castline: {error}"), file=sys.stderr)
        return 1


def _stop() -> None:
    os.kill(os.getpid(), signal.SIGTERM)


def _stop_at_end_of_input() -> None:
    sys.stdin.read()
    _stop()


def _stop_steps() -> None:
    for request in tuple(state.active_requests):
        if request.worker_pid:
            os.kill(request.worker_pid, STOP_SIGNAL)
    # SIGQUIT makes Celery kill the remaining processes.
    timer = threading.Timer(STOP_SECONDS, os.kill, [os.getpid(), signal.SIGQUIT])
    timer.daemon = True
    timer.start()


if __name__ == "__main__":
    sys.exit(main())
