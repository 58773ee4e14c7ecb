"""Waiting for another process to get somewhere, for as long as a very slow machine may need."""

import time
from collections.abc import Callable

PATIENCE_SECONDS = 1200.0
"""After which something hangs: the longest step of a test, most of a minute on two cores, is long
over then even where a tenth of a core is left. No test is about time that goes by; one that hangs
is ended, and named, before pytest's own limit ends all."""


def wait_until(reached: Callable[[], bool], patience_seconds: float = PATIENCE_SECONDS) -> None:
    """Ask again and again until the answer is yes; fails the test when patience ends."""
    end = time.monotonic() + patience_seconds
    while not reached():
        assert time.monotonic() < end, f"not reached within {patience_seconds:g} s"
        time.sleep(0.01)
