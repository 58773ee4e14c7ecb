"""Folders that are kept below a size: what was used least lately goes first."""

import os
import time
import uuid
from collections.abc import Callable, Iterator
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path
from typing import Protocol

RECENT_SECONDS = 60.0
"""What was used so lately stays: between a look at a file and the row that says that it is in use
lie milliseconds, and on a database that is slow to answer, seconds."""


@dataclass(frozen=True)
class KeptFile:
    """A file in a folder that is kept small."""

    name: str
    """Its place below the folder, with slashes."""
    size_bytes: int
    """Its size."""
    used_at: float
    """When it was last written or used, in seconds since 1970."""


class KeptFiles(Protocol):
    """A folder, here or on shared storage, out of which files can be evicted."""

    def entries(self) -> Iterator[KeptFile]:
        """Give every whole file."""

    def mark_used(self, name: str) -> None:
        """Note that a file is used now; FileNotFoundError where it is gone."""

    def evict(self, name: str, unless_used_since: float) -> bool:
        """Delete a file, unless it was used since that moment. Return whether it is gone."""


@dataclass(frozen=True)
class Eviction:
    """What was evicted, and what is left."""

    files: int
    """How many were deleted."""
    size_bytes: int
    """Their size in all."""
    left_bytes: int
    """Of the files that are left."""


def keep_below(files: KeptFiles, limit_bytes: int, is_in_use: Callable[[str], bool]) -> Eviction:
    """Evict files until the rest is within a limit, those first that were used least lately.

    Args:
        files: The folder.
        limit_bytes: What it may hold.
        is_in_use: Says of a name whether the file must stay, whatever the limit.

    Raises:
        StorageUnreachable: The folder lies on storage that does not answer.
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
    """A folder on this machine, or one that is mounted."""

    folder: Path

    def entries(self) -> Iterator[KeptFile]:
        """Give every whole file; hidden ones are still being written."""
        for path in self._files():
            with suppress(FileNotFoundError):
                if path.is_file() and not path.name.startswith("."):
                    name, status = path.relative_to(self.folder).as_posix(), path.stat()
                    yield KeptFile(name, status.st_size, max(status.st_atime, status.st_mtime))

    def mark_used(self, name: str) -> None:
        """Set the time of last access, which many file systems do not keep by themselves."""
        path = self.folder / name
        os.utime(path, ns=(time.time_ns(), path.stat().st_mtime_ns))

    def evict(self, name: str, unless_used_since: float) -> bool:
        """Delete a file, unless it was used since that moment.

        It is moved aside before the last look at its times: who marks it as used finds it gone,
        or is seen here.
        """
        path = self.folder / name
        aside = path.with_name(f".{path.name}.{uuid.uuid4().hex}.part")
        try:
            path.rename(aside)
        except FileNotFoundError:
            return False
        with suppress(FileNotFoundError):  # somebody who removes leftovers took it for one
            status = aside.stat()
            if max(status.st_atime, status.st_mtime) > unless_used_since:
                aside.replace(path)
                return False
            aside.unlink()
        return True

    def remove_leftovers(self, older_than_seconds: float) -> int:
        """Delete what writers that were killed left behind.

        Args:
            older_than_seconds: Leave younger files alone, which may still be written.

        Returns:
            How many files were deleted.
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
        """Give every file; folders that vanish meanwhile hold none."""
        for folder, _, names in os.walk(self.folder):
            yield from (Path(folder, name) for name in names)
