"""Waiting for another process to get somewhere."""

import time
from collections.abc import Callable

PATIENCE_SECONDS = 60.0
"""Far above what any step of a test takes on a busy machine."""


def wait_until(reached: Callable[[], bool], patience_seconds: float = PATIENCE_SECONDS) -> None:
    """Ask again and again until the answer is yes; fails the test when patience ends."""
    end = time.monotonic() + patience_seconds
    while not reached():
        assert time.monotonic() < end, f"not reached within {patience_seconds:g} s"
        time.sleep(0.01)
