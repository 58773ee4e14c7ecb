"""Folders with a size limit: the least recently used file is evicted first."""

import os
import time
import uuid
from collections.abc import Callable, Iterator
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path
from typing import Protocol

RECENT_SECONDS = 60.0
"""Files used within this time are kept: between a check of a file and the row that marks it as in
use lie milliseconds, or seconds on a slow database."""


@dataclass(frozen=True)
class KeptFile:
    """A file in a folder with a size limit."""

    name: str
    """Path relative to the folder, with slashes."""
    size_bytes: int
    """Size of the file."""
    used_at: float
    """Time of the last write or use, in seconds since 1970."""


class KeptFiles(Protocol):
    """A folder, local or on shared storage, from which files can be evicted."""

    def entries(self) -> Iterator[KeptFile]:
        """Yield every complete file."""

    def mark_used(self, name: str) -> None:
        """Mark a file as used now.

        Raises:
            FileNotFoundError: The file is gone.
        """

    def evict(self, name: str, unless_used_since: float) -> bool:
        """Delete a file, unless it was used since that time; return whether it is gone."""


@dataclass(frozen=True)
class Eviction:
    """The result of an eviction."""

    files: int
    """Number of files deleted."""
    size_bytes: int
    """Total size of the deleted files."""
    left_bytes: int
    """Total size of the remaining files."""


def keep_below(files: KeptFiles, limit_bytes: int, is_in_use: Callable[[str], bool]) -> Eviction:
    """Evict the least recently used files until the rest is within a limit.

    Args:
        files: The folder.
        limit_bytes: Its largest permitted size.
        is_in_use: Tells by its name whether a file must stay, whatever the limit.

    Returns:
        The number and sizes of files deleted and left.

    Raises:
        StorageUnreachable: The folder is on storage that does not answer.
    """
    entries = sorted(files.entries(), key=lambda file: (file.used_at, file.name))
    left_bytes = sum(file.size_bytes for file in entries)
    evicted = evicted_bytes = 0
    for file in entries:
        if left_bytes <= limit_bytes:
            break
        if is_in_use(file.name) or not files.evict(file.name, time.time() - RECENT_SECONDS):
            continue
        evicted += 1
        evicted_bytes += file.size_bytes
        left_bytes -= file.size_bytes
    return Eviction(evicted, evicted_bytes, left_bytes)


@dataclass(frozen=True)
class LocalFiles:
    """A folder on this machine, or a mounted one."""

    folder: Path

    def entries(self) -> Iterator[KeptFile]:
        """Yield every complete file; hidden ones are still being written."""
        for path in self._files():
            with suppress(FileNotFoundError):
                if path.is_file() and not path.name.startswith("."):
                    name, status = path.relative_to(self.folder).as_posix(), path.stat()
                    yield KeptFile(name, status.st_size, max(status.st_atime, status.st_mtime))

    def mark_used(self, name: str) -> None:
        """Set the time of last access, which many file systems do not update themselves."""
        path = self.folder / name
        os.utime(path, ns=(time.time_ns(), path.stat().st_mtime_ns))

    def evict(self, name: str, unless_used_since: float) -> bool:
        """Delete a file, unless it was used since that time; return whether it is gone.

        The file is moved aside before the last check of its times: a process that marks it as used
        either finds it gone, or is noticed here.
        """
        path = self.folder / name
        aside = path.with_name(f".{path.name}.{uuid.uuid4().hex}.part")
        try:
            path.rename(aside)
        except FileNotFoundError:
            return False
        with suppress(FileNotFoundError):  # another process removed it as a leftover
            status = aside.stat()
            if max(status.st_atime, status.st_mtime) > unless_used_since:
                aside.replace(path)
                return False
            aside.unlink()
        return True

    def remove_leftovers(self, older_than_seconds: float) -> int:
        """Delete files that killed writers left behind.

        Args:
            older_than_seconds: Younger files are kept, since they may still be being written.

        Returns:
            The number of files deleted.
        """
        removed = 0
        for path in self._files():
            if not (path.name.startswith(".") and path.name.endswith(".part")):
                continue
            with suppress(OSError):
                if time.time() - path.stat().st_mtime > older_than_seconds:
                    path.unlink()
                    removed += 1
        return removed

    def _files(self) -> Iterator[Path]:
        """Yield every file; folders that vanish meanwhile are empty."""
        for folder, _, names in os.walk(self.folder):
            yield from (Path(folder, name) for name in names)
