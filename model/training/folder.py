"""The folder of a training under way, which no two trainings share."""

import fcntl
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Final

from model.errors import TrainingError

LOCK_NAME: Final = "lock"


@contextmanager
def alone_at_work(folder: Path) -> Iterator[None]:
    """Keep other trainings out of a folder; the system lets them in when this process ends.

    The file stays: who removed it might let two in, one with the old file and one with a new one.

    Args:
        folder: made if need be.

    Raises:
        TrainingError: another training is at work there, or the folder cannot be written.
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
                f"{folder}: another training is at work there; wait for it, or give another --name"
            ) from error
        yield


def cannot_be_written(folder: Path, error: Exception) -> TrainingError:
    """Return the error of a folder that is full, gone or not ours; what was saved stays."""
    reason = getattr(error, "strerror", None) or str(error).splitlines()[0]
    return TrainingError(f"{folder}: cannot be written ({reason}); make room, and use --resume")
