"""Waiting for another process to get somewhere, for as long as a very slow machine may need."""

import os
import time
from collections.abc import Callable

PATIENCE_SECONDS = 1200.0
"""After which something hangs: the longest step of a test, most of a minute on two cores, is long
over then even where a tenth of a core is left. No test is about time that goes by; one that hangs
is ended, and named, before pytest's own limit ends all."""


def wait_until(reached: Callable[[], bool]) -> None:
    """Ask again and again until the answer is yes; fails the test when patience ends."""
    end = time.monotonic() + PATIENCE_SECONDS
    while not reached():
        assert time.monotonic() < end, f"not reached within {PATIENCE_SECONDS:g} s"
        time.sleep(0.01)


def assert_in_time(what: str, seconds: float, limit_seconds: float) -> None:
    """Print how long something took; only CASTLINE_TIMED=1 says that this machine can keep limits.

    The limits are those that the design grants, on two cores that do nothing else.
    """
    print(f"{what} after {seconds:.1f} s of {limit_seconds:g}")
    if os.environ.get("CASTLINE_TIMED") == "1":
        assert seconds < limit_seconds, what
