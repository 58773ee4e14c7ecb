"""Progress reports of long work, rate-limited so that they cost nothing."""

import time
from collections.abc import Callable

REPORT_EVERY_SECONDS = 0.5
"""Often enough to renew a lease or move a bar, rare enough to cost nothing."""

Report = Callable[[int], None]
"""Takes the amount of work done so far: frames decoded, or bytes and packets read by a probe."""


class Pulse:
    """Passes the amount of work done to `report`, at most once per half second."""

    def __init__(self, report: Report | None) -> None:
        self._report = report
        self._due_seconds = time.monotonic() + REPORT_EVERY_SECONDS

    def beat(self, done: int) -> None:
        """Report `done` if a report is due. Exceptions that the report raises propagate."""
        if self._report is None or time.monotonic() < self._due_seconds:
            return
        self._due_seconds = time.monotonic() + REPORT_EVERY_SECONDS
        self._report(done)
