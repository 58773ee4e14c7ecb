"""Errors that tell of the machine, and of nothing that was asked of it."""

import errno
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Final

from ingest.errors import ShortageError

LACKING: Final = {
    errno.EAGAIN: "processes",  # of fork(2): a limit on them was reached
    errno.ENOMEM: "memory",
    errno.EMFILE: "open files",
    errno.ENFILE: "open files",
}
"""By the codes of errors that the system gives."""


def what_is_lacking(error: BaseException | None) -> str | None:
    """What the machine has too little of, by an error or what caused it; None for other errors."""
    while error is not None:
        if lacking := _by_itself(error):
            return lacking
        error = error.__cause__
    return None


@contextmanager
def telling_shortages() -> Iterator[None]:
    """Turns errors that tell of the machine into one line.

    Raises:
        ShortageError: The machine has too little of something.
    """
    try:
        yield
    except ShortageError:
        raise
    except Exception as error:
        if lacking := what_is_lacking(error):
            raise shortage(lacking) from error
        raise


def shortage(lacking: str) -> ShortageError:
    """The error that says so."""
    return ShortageError(
        f"this machine lacks {lacking}; end what else runs, or raise its"
        " limits (ulimit -a shows them); what was begun is offered again"
    )


def _by_itself(error: BaseException) -> str | None:
    if type(error).__module__.partition(".")[0] == "av":
        return None  # FFmpeg gives the same codes of damaged files
    if isinstance(error, MemoryError):
        return "memory"
    if isinstance(error, RuntimeError) and "can't start new thread" in str(error):
        return "threads"
    if isinstance(error, OSError):
        return LACKING.get(error.errno or 0)
    # TensorFlow's, which is not imported for it: a device is full, also with others' work.
    return "memory of the device" if type(error).__name__ == "ResourceExhaustedError" else None
