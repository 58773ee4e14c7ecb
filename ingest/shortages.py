"""Recognise errors that are due to the machine and not to the request."""

import errno
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Final

from ingest.errors import ShortageError

LACKING: Final = {
    errno.EAGAIN: "processes",  # from fork(2): the limit of processes was reached
    errno.ENOMEM: "memory",
    errno.EMFILE: "open files",
    errno.ENFILE: "open files",
}
"""The missing resource by the error code of the system."""


def what_is_lacking(error: BaseException | None) -> str | None:
    """Name the resource that an error or its cause shows to be exhausted; None for other errors."""
    while error is not None:
        if lacking := _by_itself(error):
            return lacking
        error = error.__cause__
    return None


@contextmanager
def telling_shortages() -> Iterator[None]:
    """Turn errors that are due to an exhausted resource into one line.

    Raises:
        ShortageError: The machine lacks a resource.
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
    """Return the error that names an exhausted resource."""
    return ShortageError(
        f"this machine lacks {lacking}; end other programs, or raise its"
        " limits (ulimit -a shows them); unfinished work is offered again"
    )


def _by_itself(error: BaseException) -> str | None:
    if type(error).__module__.partition(".")[0] == "av":
        return None  # FFmpeg gives the same codes for damaged files
    if isinstance(error, MemoryError):
        return "memory"
    if isinstance(error, RuntimeError) and "can't start new thread" in str(error):
        return "threads"
    if isinstance(error, OSError):
        return LACKING.get(error.errno or 0)
    # An error of TensorFlow, which is not imported for this: a device is full, perhaps with the
    # work of others.
    return "memory of the device" if type(error).__name__ == "ResourceExhaustedError" else None
