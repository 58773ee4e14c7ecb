"""Turn the output of a worker's processes into lines of its log.

Their own log lines pass unchanged. Other output, such as the complaint of a library or the last
words of an interpreter, becomes a line of the log too, so that a JSON parser can read all lines.
"""

import json
import logging
import sys
import threading
from typing import IO

log = logging.getLogger(__name__)


class Relay:
    """Reads the output of a process until it ends, in a separate thread.

    Args:
        printed: The pipe.
        step: Step of the process: `extract` or `classify`.
    """

    def __init__(self, printed: IO[str], step: str) -> None:
        self._printed = printed
        self._step = step
        self._thread = threading.Thread(target=self._run, name=f"relay {step}", daemon=True)
        self._thread.start()

    def join(self, timeout_seconds: float) -> None:
        """Wait until all output was relayed, or a descendant keeps the pipe open."""
        self._thread.join(timeout_seconds)

    def _run(self) -> None:
        with self._printed:
            for line in self._printed:
                if _is_of_a_log(line):
                    sys.stderr.write(line)
                elif line.strip():
                    log.warning("%s", line.rstrip(), extra={"step": self._step})


def _is_of_a_log(line: str) -> bool:
    if not (line.startswith("{") and line.endswith("\n")):
        return False
    try:
        return isinstance(json.loads(line), dict)
    except (ValueError, RecursionError):
        return False
