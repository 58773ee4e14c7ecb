"""The embedded runner's classify process: `python -m worker.embedded.classify_process`.

It reads one JSON line with its order from stdin, answers one JSON line on stdout when it is ready
or has failed, and works until stdin ends, which also happens when the runner is killed. TensorFlow
runs only in this process.
"""

import json
import os
import signal
import sys
import threading
from collections.abc import Callable
from dataclasses import dataclass
from typing import IO, Any

from db.errors import DatabaseError
from db.patience import patience_of_worker
from db.states import ChunkState
from ingest.errors import IngestError, ShortageError
from ingest.shortages import telling_shortages
from model.errors import ModelError
from model.inference.device import Device
from worker.identity import worker_identity
from worker.installation import Installation, open_installation
from worker.settings import Settings
from worker.steps.claims import claim_step
from worker.steps.classifiers import LoadedClassifiers
from worker.steps.classify_step import classify_step
from worker.telemetry.log import configure_logging

CLAIMED_AT_ONCE = 4
"""Chunks per classify step: enough pictures that the last, padded batch is 2 % of them, and few
enough that progress is visible every few seconds, and that a killed process loses little."""

SHORTAGE_SECONDS = 5.0
"""Pause before work is retried for which this machine lacked a resource: other programs may end
meanwhile."""

IDLE_SECONDS = 0.1
"""Polling interval of an empty queue: too short to notice, and negligible for the database."""


@dataclass(frozen=True)
class ClassifyOrder:
    """The order that a classify process receives when it starts."""

    settings: Settings
    device: Device
    run_ids: tuple[int, ...] | None
    """Work on these runs only; None for all."""
    model_sha256: str | None
    """Load this model version before the first chunk arrives."""

    def to_json(self) -> str:
        """Serialise to one line."""
        return json.dumps(
            {
                "settings": self.settings.to_json(),
                "device": self.device,
                "run_ids": self.run_ids,
                "model_sha256": self.model_sha256,
            }
        )

    @classmethod
    def from_json(cls, line: str) -> "ClassifyOrder":
        """Parse the output of `to_json`."""
        values = json.loads(line)
        run_ids = None if values["run_ids"] is None else tuple(values["run_ids"])
        settings = Settings.from_json(values["settings"])
        return cls(settings, Device(values["device"]), run_ids, values["model_sha256"])


def work(
    installation: Installation,
    order: ClassifyOrder,
    stopped: threading.Event,
    ready: Callable[[], None],
    trouble: Callable[[str], None],
) -> None:
    """Classify extracted chunks until `stopped` is set.

    Args:
        installation: The installation: settings and database.
        order: The runs to classify, and the device.
        stopped: Ends the work.
        ready: Called before the first chunk.
        trouble: Called with the resource that this machine lacks; the work is retried after a
            while.
    """
    classifiers = LoadedClassifiers(installation.settings, order.device)
    if order.model_sha256:
        classifiers.load(order.model_sha256)
    ready()
    identity = worker_identity()
    while not stopped.is_set():
        try:
            with telling_shortages():
                is_idle = not _classify_next(installation, order, classifiers, identity)
            stopped.wait(IDLE_SECONDS if is_idle else 0)
        except ShortageError as error:
            trouble(str(error))
            stopped.wait(SHORTAGE_SECONDS)
    installation.statistics.write(installation.database, at_once=True)


def _classify_next(
    installation: Installation, order: ClassifyOrder, classifiers: LoadedClassifiers, identity: str
) -> bool:
    """Classify some chunks; return False if there are none."""
    claims = claim_step(
        installation, ChunkState.EXTRACTED, identity, order.run_ids, limit=CLAIMED_AT_ONCE
    )
    if claims:
        classify_step(installation, claims, classifiers.load)
    return bool(claims)


def main() -> int:
    """Run the process; the exit code is 0 if it was told to stop."""
    # Ctrl-C in a terminal reaches every process there: the runner handles it.
    signal.signal(signal.SIGINT, signal.SIG_IGN)
    answers = _private_answers()
    order = ClassifyOrder.from_json(sys.stdin.readline())
    configure_logging(order.settings.log_format)
    stopped, is_ready = threading.Event(), threading.Event()
    patience = patience_of_worker(stays=True)  # until the parent process ends the wait

    def stop(*_: object) -> None:
        patience.hurry()
        stopped.set()

    signal.signal(signal.SIGTERM, stop)
    threading.Thread(target=_wait_for_end, args=(stop, is_ready), daemon=True).start()

    def ready() -> None:
        is_ready.set()
        _answer(answers, {"ready": True})

    try:
        with open_installation(order.settings, patience) as installation:
            work(
                installation,
                order,
                stopped,
                ready,
                lambda text: _answer(answers, {"trouble": text}),
            )
    except (ModelError, DatabaseError, IngestError) as error:
        _answer(answers, {"error": str(error)})
        return 1
    return 0


def _wait_for_end(stop: Callable[[], None], is_ready: threading.Event) -> None:
    sys.stdin.read()
    stop()
    if not is_ready.is_set():
        # Nothing is claimed yet, and TensorFlow's import, which takes seconds, cannot be
        # interrupted.
        os._exit(0)


def _private_answers() -> IO[str]:
    """Reserve stdout for answers: output that a library prints goes to stderr."""
    answers = os.fdopen(os.dup(1), "w", encoding="utf-8")
    os.dup2(2, 1)
    return answers


def _answer(answers: IO[str], values: dict[str, Any]) -> None:
    answers.write(json.dumps(values) + "\n")
    answers.flush()


if __name__ == "__main__":
    sys.exit(main())
