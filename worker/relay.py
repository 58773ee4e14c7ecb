"""What processes of a worker print, as lines of its log.

Their own log lines go on as they are. What else comes out of them, such as the complaint of a
library or the last words of an interpreter, becomes a line of the log too: who reads JSON can read
it all.
"""

import json
import logging
import sys
import threading
from typing import IO

log = logging.getLogger(__name__)


class Relay:
    """Reads what a process prints until it is gone, from a thread of its own.

    Args:
        printed: The pipe.
        step: Of the process: `extract` or `classify`.
    """

    def __init__(self, printed: IO[str], step: str) -> None:
        self._printed = printed
        self._step = step
        self._thread = threading.Thread(target=self._run, name=f"relay {step}", daemon=True)
        self._thread.start()

    def join(self, timeout_seconds: float) -> None:
        """Waits until all that was printed is told, or a process that outlived it holds on."""
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
