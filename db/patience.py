"""How long work waits for a database: for a lock that another holds, for a server that is away."""

import math
import time

LOCK_SECONDS = 60.0
"""Longer than the longest transaction that Castline makes (a run's last chunk), with room for a
slow disk; a command that waits longer than this has met a stuck process, not a busy one."""

WORKER_LOCK_SECONDS = 5.0
"""Of one attempt, after which a worker looks whether it was told to stop, and tries again."""

CUT_SECONDS = 120.0
"""A restart with recovery takes seconds, a switch to a standby a minute. Who still waits then is
told; the claims end with their leases, and others go on."""

HURRIED_SECONDS = 10.0
"""Of a process that was told to stop, which is to be gone within a minute."""


class Patience:
    """How long one process's work waits for its database.

    Args:
        lock_seconds: How long one attempt waits for a lock.
        cut_seconds: For how long work begins again when it found the server away, or a lock taken;
            infinite for a worker that stays.
    """

    def __init__(
        self, lock_seconds: float = LOCK_SECONDS, cut_seconds: float = CUT_SECONDS
    ) -> None:
        self.lock_seconds = lock_seconds
        self._cut_seconds = cut_seconds
        self._ends_seconds = math.inf

    def hurry(self) -> None:
        """Lets nothing wait long from now on; may be called from a signal handler."""
        self._ends_seconds = min(self._ends_seconds, time.monotonic() + HURRIED_SECONDS)

    def until(self, began_seconds: float) -> float:
        """The moment, by the monotonic clock, at which work that began then gives up."""
        return min(began_seconds + self._cut_seconds, self._ends_seconds)


def patience_of_worker(*, stays: bool) -> Patience:
    """Of a process that works on the queue; for ever if it `stays` when nothing is left to do."""
    return Patience(WORKER_LOCK_SECONDS, math.inf if stays else CUT_SECONDS)
