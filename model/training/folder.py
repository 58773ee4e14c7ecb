"""The folder of a running training, which no two trainings share."""

import fcntl
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Final

from model.errors import TrainingError

LOCK_NAME: Final = "lock"


@contextmanager
def alone_at_work(folder: Path) -> Iterator[None]:
    """Lock a folder against other trainings; the system releases the lock when this process ends.

    The lock file stays: if it were removed, two trainings could run, one with the old file and one
    with a new one.

    Args:
        folder: The folder; it is created if it does not exist.

    Raises:
        TrainingError: Another training uses the folder, or the folder cannot be written.
    """
    try:
        folder.mkdir(parents=True, exist_ok=True)
        lock = (folder / LOCK_NAME).open("wb")
    except OSError as error:
        raise cannot_be_written(folder, error) from error
    with lock:
        try:
            fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError as error:
            raise TrainingError(
                f"{folder}: another training uses it; wait for it, or give another --name"
            ) from error
        yield


def cannot_be_written(folder: Path, error: Exception) -> TrainingError:
    """Return the error for a folder that is full, missing or read-only; saved files stay."""
    reason = getattr(error, "strerror", None) or str(error).splitlines()[0]
    return TrainingError(f"{folder}: cannot be written ({reason}); make room, and use --resume")
