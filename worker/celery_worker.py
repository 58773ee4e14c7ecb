"""The Celery workers of this machine: one process for each step, each with a pool of its own.

Apart, because a process that classifies holds TensorFlow, and one that extracts need not; and
because what classifies is as many as there are GPUs, what extracts as many as there are cores.
"""

import os
import signal
import subprocess
import sys
import threading
from collections.abc import Sequence
from dataclasses import dataclass

from worker.app import STEPS, make_app
from worker.celery_process import CeleryOrder
from worker.errors import WorkerError
from worker.gpus import usable_gpus
from worker.settings import Settings

LOOK_SECONDS = 0.2
"""Between looks at processes: what a person still takes for at once."""


@dataclass(frozen=True)
class WorkerOptions:
    """How the workers of this machine work."""

    steps: tuple[str, ...] = STEPS
    concurrency: int | None = None
    """Processes for each step; None for what the machine has."""
    device: str = "auto"
    until_idle: bool = False

    def __post_init__(self) -> None:
        if not self.steps or not set(self.steps) <= set(STEPS):
            raise WorkerError(
                f"--queues: {' or '.join(STEPS)}, or both by a comma,"
                f" received {','.join(self.steps)!r}"
            )


class CeleryWorkers:
    """Celery workers that end together.

    Args:
        settings: Of the installation, with a broker.
        options: How to work.

    Raises:
        WorkerError: The broker's URL cannot be used.
    """

    def __init__(self, settings: Settings, options: WorkerOptions) -> None:
        make_app(settings)  # refuses a URL that it cannot use, before anything is started
        self._settings = settings
        self._options = options
        self._stopped = threading.Event()

    def stop(self) -> None:
        """Makes `run` return soon; may be called from a signal handler."""
        self._stopped.set()

    def run(self) -> int:
        """Works until `stop`, or until one of the workers ends; gives the exit code."""
        workers = [self._start(step) for step in self._options.steps]
        try:
            while not (self._stopped.wait(LOOK_SECONDS) or _is_over(workers)):
                pass
        finally:
            for worker in workers:
                worker.terminate()
            codes = [worker.wait() for worker in workers]
        # One that had not begun yet ends by the signal itself.
        return max((abs(code) for code in codes if code != -signal.SIGTERM), default=0)

    def _start(self, step: str) -> subprocess.Popen[str]:
        options = self._options
        concurrency = options.concurrency or self._default_concurrency(step)
        order = CeleryOrder(self._settings, step, concurrency, options.device, options.until_idle)
        worker = subprocess.Popen(
            # -P: the folder that the user happens to be in might hold a `numpy.py` of its own.
            [sys.executable, "-P", "-m", "worker.celery_process"],
            stdin=subprocess.PIPE,
            text=True,
            start_new_session=True,  # Ctrl-C in a terminal is for this process to interpret
        )
        assert worker.stdin is not None
        worker.stdin.write(order.to_json() + "\n")
        worker.stdin.flush()  # and left open: that it ends tells of the end of this process
        return worker

    def _default_concurrency(self, step: str) -> int:
        if step == "classify":
            return len(usable_gpus(self._settings, self._options.device)) or 1
        return os.cpu_count() or 1


def _is_over(workers: Sequence[subprocess.Popen[str]]) -> bool:
    """Whether all have ended in good order, or one in another way."""
    codes = [worker.poll() for worker in workers]
    return all(code is not None for code in codes) or any(code for code in codes)
