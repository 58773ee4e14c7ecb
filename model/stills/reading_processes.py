"""Read many stills on all cores into a work file."""

from collections.abc import Callable, Iterator, Sequence
from concurrent.futures.process import BrokenProcessPool
from pathlib import Path
from typing import Final

from model.errors import DatasetError, StillsError
from model.pictures.files import to_png
from model.processes import Processes, taken_ahead
from model.stills.reading import read_still
from model.stills.work_file import ReadFile, WorkFile, state_of

_FILES_AT_ONCE: Final = 64
"""Files per message and per transaction: half a second of work, the most that a kill loses."""

_AHEAD: Final = 2  # messages of 64 x 40 to 150 kB that wait to be stored


def read_into(
    work: WorkFile,
    paths: Sequence[Path],
    processes: int,
    on_progress: Callable[[int], None],
) -> None:
    """Read files and store the results.

    Args:
        work: The work file that stores results as soon as they arrive.
        paths: The files to read.
        processes: Number of processes; 1 is this process alone.
        on_progress: Called with the number of files done.

    Raises:
        DatasetError: A process died; results of the others are kept.
    """
    parts = [
        paths[start : start + _FILES_AT_ONCE] for start in range(0, len(paths), _FILES_AT_ONCE)
    ]
    read = map(_read_files, parts) if min(processes, len(parts)) <= 1 else _spread(parts, processes)
    done = 0
    for rows in read:
        work.add(rows)
        done += len(rows)
        on_progress(done)


def _read_files(paths: Sequence[Path]) -> list[ReadFile]:
    return [_read_file(path) for path in paths]


def _read_file(path: Path) -> ReadFile:
    state = state_of(path)  # before reading, so that a change meanwhile is noticed the next time
    try:
        still = read_still(path)
    except StillsError as error:
        return ReadFile(path, *state, reason=str(error))
    return ReadFile(
        path,
        *state,
        "",
        still.sha256,
        still.difference_hash.tobytes(),
        still.picture.shape[:2],
        to_png(still.picture),
    )


def _spread(parts: Sequence[Sequence[Path]], processes: int) -> Iterator[list[ReadFile]]:
    """Yield the results of each batch, in order, while others are being read."""
    pool = Processes(min(processes, len(parts)))
    try:
        yield from taken_ahead(pool.results(_read_files, parts), _AHEAD)
    except BrokenProcessPool as error:
        raise DatasetError(
            "a process that reads stills died, perhaps because memory ran out; "
            "the same command continues where it stopped"
        ) from error
    finally:
        pool.shutdown()
