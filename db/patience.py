"""How long work waits for a database: for a lock, or for a server that is away."""

import math
import time

LOCK_SECONDS = 60.0
"""Longer than the longest transaction of Castline (a run's last chunk), with a margin for a slow
disk; a command that waits longer than this has met a stuck process, not a busy one."""

WORKER_LOCK_SECONDS = 5.0
"""Lock timeout of one attempt, after which a worker checks whether it was told to stop, and tries
again."""

CUT_SECONDS = 120.0
"""A restart with recovery takes seconds, a failover to a standby a minute. After this time the user
is told; the claims end with their leases, and others continue."""

HURRIED_SECONDS = 10.0
"""Limits of a process that was told to stop, which has to be gone within a minute."""


class Patience:
    """How long one process's work waits for its database.

    Args:
        lock_seconds: How long one attempt waits for a lock.
        cut_seconds: For how long work is retried when the server is away, or a lock is taken;
            infinite for a long-running worker.
    """

    def __init__(
        self, lock_seconds: float = LOCK_SECONDS, cut_seconds: float = CUT_SECONDS
    ) -> None:
        self.lock_seconds = lock_seconds
        self._cut_seconds = cut_seconds
        self._ends_seconds = math.inf

    def hurry(self) -> None:
        """Let nothing wait long from now on; may be called from a signal handler."""
        self._ends_seconds = min(self._ends_seconds, time.monotonic() + HURRIED_SECONDS)

    def until(self, began_seconds: float) -> float:
        """Return the monotonic time at which work that began at a given time gives up."""
        return min(began_seconds + self._cut_seconds, self._ends_seconds)


def patience_of_worker(*, stays: bool) -> Patience:
    """Return the patience of a process that works on the queue; infinite for one that `stays`."""
    return Patience(WORKER_LOCK_SECONDS, math.inf if stays else CUT_SECONDS)
