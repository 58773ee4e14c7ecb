"""The runner's view of the classify process: start it, read its answers, restart it if it dies."""

import json
import logging
import signal
import subprocess
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from typing import IO

from model.interpreter import python_command
from worker.embedded.classify_process import ClassifyOrder
from worker.errors import WorkerError
from worker.telemetry.relay import Relay

STARTS_WITHOUT_SUCCESS = 3
"""A process that fails to start three times in a row cannot start at all."""

STOP_SECONDS = 30.0
"""Ending a step takes about a second on a CPU; a process that takes longer than this is killed, and
its chunks are offered again."""

log = logging.getLogger(__name__)


class ClassifyChild:
    """One classify process at a time, replaced when it dies."""

    def __init__(self, order: ClassifyOrder) -> None:
        self._order = order
        self._process: subprocess.Popen[str] | None = None
        self._error: str | None = None
        self._failed_starts = 0
        self.ready = threading.Event()

    def ensure_alive(self) -> bool:
        """Start the process if it is not running.

        Returns:
            Whether one had died, so that its chunks can be freed immediately.

        Raises:
            WorkerError: The process reports that it cannot work, or fails repeatedly before it is
                ready.
        """
        if self._process is None:
            self._start()
            return False
        if self._error is not None:
            raise WorkerError(self._error)
        returncode = self._process.poll()
        if returncode is None:
            return False
        self._note_death(returncode)
        self._start()
        return True

    def stop(self) -> None:
        """End the process after its current step."""
        process, self._process = self._process, None
        if process is None:
            return
        assert process.stdin is not None
        process.stdin.close()
        try:
            process.wait(STOP_SECONDS)
        except subprocess.TimeoutExpired:
            process.kill()
            process.wait()

    def _start(self) -> None:
        self.ready.clear()
        with self._log() as log:
            # A session of its own: the runner handles Ctrl-C in a terminal.
            self._process = subprocess.Popen(
                python_command("-m", "worker.embedded.classify_process"),
                stdin=subprocess.PIPE,
                stdout=subprocess.PIPE,
                stderr=log,
                text=True,
                errors="replace",
                start_new_session=True,
            )
        assert self._process.stdin is not None
        try:
            self._process.stdin.write(self._order.to_json() + "\n")
            self._process.stdin.flush()
        except BrokenPipeError:
            pass  # it died immediately: `ensure_alive` will notice
        try:
            if self._process.stderr is not None:
                Relay(self._process.stderr, "classify")
            threading.Thread(target=self._listen, args=(self._process,), daemon=True).start()
        except RuntimeError:
            self.stop()  # its answers could not be read; the next poll starts another
            raise

    @contextmanager
    def _log(self) -> Iterator[IO[str] | int | None]:
        """Return the target of its stderr: the worker's own log, or a file."""
        if self._order.settings.log_format:
            yield subprocess.PIPE if self._order.settings.log_format == "json" else None
            return
        log_path = self._order.settings.home / "classify.log"
        log_path.parent.mkdir(parents=True, exist_ok=True)
        with log_path.open("a") as log:
            yield log

    def _listen(self, process: subprocess.Popen[str]) -> None:
        assert process.stdout is not None
        for line in process.stdout:
            answer = json.loads(line)
            if trouble := answer.get("trouble"):
                log.error("%s", trouble)
                continue
            self._error = answer.get("error")
            if answer.get("ready"):
                self.ready.set()

    def _note_death(self, returncode: int) -> None:
        # SIGKILL comes from outside and says nothing about the next start.
        if self.ready.is_set() or returncode == -signal.SIGKILL:
            self._failed_starts = 0
            return
        self._failed_starts += 1
        if self._failed_starts >= STARTS_WITHOUT_SUCCESS:
            raise WorkerError(
                f"the classify process ended {self._failed_starts} times before it was ready"
                f" (exit code {returncode}); see {self._order.settings.home / 'classify.log'}"
            )
