"""Store the files read so far on disk, so that an interrupted build continues where it stopped.

It is one SQLite file with a row per file, identified by its path, size and time of change. An
interrupted transaction leaves no trace, and the pictures need no memory.
"""

import sqlite3
from collections.abc import Iterable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Final

import numpy as np

from model.errors import DatasetError
from model.stills.candidates import Candidate
from model.stills.files import LeftOut, StillFile

_FORMAT: Final = 2  # changes with the stored data of a still; older work files are discarded

_SCHEMA: Final = """
CREATE TABLE IF NOT EXISTS still (
    path TEXT PRIMARY KEY, size_bytes INTEGER, changed_ns INTEGER,
    reason TEXT, sha256 TEXT, difference_hash BLOB, height INTEGER, width INTEGER,
    png BLOB -- last, so that the other columns are read without it
)
"""


@dataclass(frozen=True)
class ReadFile:
    """The result of reading a file: a still's content, or why there is none."""

    path: Path
    size_bytes: int
    changed_ns: int
    """Time of the last change."""
    reason: str
    """Empty if the file was read."""
    sha256: str = ""
    difference_hash: bytes = b""
    """Bytes of `model.pictures.near_duplicates.difference_hash`."""
    size: tuple[int, int] = (0, 0)
    """Height and width in pixels of the stored picture."""
    png: bytes = b""
    """The stored picture."""


class WorkFile:
    """The stored rows of a build; opened by `open_work_file`."""

    def __init__(self, connection: sqlite3.Connection) -> None:
        self._connection = connection

    def add(self, rows: Iterable[ReadFile]) -> None:
        """Store results in one transaction; files that were read before are replaced."""
        with self._connection:
            self._connection.executemany(
                "INSERT OR REPLACE INTO still VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?)",
                [
                    (
                        _key(row.path),
                        row.size_bytes,
                        row.changed_ns,
                        row.reason,
                        row.sha256,
                        row.difference_hash,
                        *row.size,
                        row.png,
                    )
                    for row in rows
                ],
            )

    def unread(self, files: Iterable[StillFile]) -> list[Path]:
        """Return the files that were not read yet, or were changed since."""
        columns = "path, size_bytes, changed_ns"
        known = {
            path: (size, changed)
            for path, size, changed in self._connection.execute(f"SELECT {columns} FROM still")  # noqa: S608 (no input in it)
        }
        return [file.path for file in files if known.get(_key(file.path)) != state_of(file.path)]

    def candidates(self, files: Iterable[StillFile]) -> tuple[list[Candidate], list[LeftOut]]:
        """Return the stills among these files, all of which were read, and those left out."""
        rows = {
            path: values
            for path, *values in self._connection.execute(
                "SELECT path, reason, sha256, difference_hash, height, width FROM still"
            )
        }
        found, left_out = [], []
        for file in files:
            reason, sha256, words, *size = rows[_key(file.path)]
            if reason:
                left_out.append(LeftOut(file.path, "unreadable", reason))
            else:
                found.append(Candidate(file, sha256, np.frombuffer(words, np.uint64), tuple(size)))
        return found, left_out

    def png(self, file: StillFile) -> bytes:
        """Return a still's picture as PNG."""
        query = "SELECT png FROM still WHERE path = ?"
        [content] = self._connection.execute(query, (_key(file.path),)).fetchone()
        return bytes(content)


@contextmanager
def open_work_file(path: Path) -> Iterator[WorkFile]:
    """Open the work file for this process alone, or create it.

    Raises:
        DatasetError: Another process has it open, it is damaged, or the disk is full.
    """
    try:
        connection = sqlite3.connect(path, timeout=0)
        try:
            connection.execute("PRAGMA locking_mode = EXCLUSIVE")
            _prepare(connection)
            yield WorkFile(connection)
        finally:
            connection.close()
    except sqlite3.Error as error:
        if "locked" in str(error):
            raise DatasetError(f"{path.parent}: another build uses it; wait") from error
        raise DatasetError(f"{path}: {error}; make room, or delete the file and retry") from error


def state_of(path: Path) -> tuple[int, int]:
    """Return a file's size in bytes and its time of change in ns; (0, 0) if it is missing."""
    try:
        found = path.stat()
    except OSError:
        return 0, 0
    return found.st_size, found.st_mtime_ns


def _prepare(connection: sqlite3.Connection) -> None:
    [found] = connection.execute("PRAGMA user_version").fetchone()
    with connection:
        if found != _FORMAT:
            connection.execute("DROP TABLE IF EXISTS still")
        connection.execute(_SCHEMA)
        connection.execute(f"PRAGMA user_version = {_FORMAT}")


def _key(path: Path) -> str:
    # names of files are bytes: invalid UTF-8 becomes surrogates, which SQLite refuses
    return str(path).encode("utf-8", "backslashreplace").decode()
