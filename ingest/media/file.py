"""Open a user's file exactly once: the checked file is the one read, even if it is renamed.

Uses the standard library alone, so that the parent can open the files that its decoder process
reads: the child receives the descriptor and never resolves a path.
"""

import os
import stat
import time
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

from ingest.errors import MediaRefused, VideoError

SETTLED_SECONDS = 2
"""A file that was changed within this time may be changed again without a new timestamp: the
coarsest timestamps in use, of FAT, have steps of two seconds."""

HEAD_BYTES = 16
"""Enough to tell a playlist, or an MP4 without its index, from other files."""

_PLAYLIST_HEADS = (b"#EXTM3U", b"ffconcat", b"[playlist]", b"<?xml", b"<MPD")

_PASS = getattr(os, "O_PATH", os.O_RDONLY)
"""Flag to traverse a folder without reading it, where the system has one."""


@dataclass(frozen=True)
class MediaFile:
    """An open regular file."""

    path: Path
    """Absolute and real path at the time of opening; for messages only."""
    descriptor: int
    """File descriptor for reading."""

    @property
    def place(self) -> str:
        """A name of the open file itself, for libraries that open files by name."""
        return f"/dev/fd/{self.descriptor}"

    @property
    def status(self) -> os.stat_result:
        """The current status of the file."""
        return os.fstat(self.descriptor)

    @property
    def head(self) -> bytes:
        """The first bytes of the file."""
        return os.pread(self.descriptor, HEAD_BYTES, 0)

    @property
    def stamp(self) -> str:
        """See `stamp_of`."""
        return stamp_of(self.status, time.time())


def stamp_of(status: os.stat_result, now: float) -> str:
    """Return a stamp that stays the same exactly as long as nobody writes to the file.

    Any program can set the modification time (mtime); only the system sets the change time (ctime).
    Other changes, such as of permissions or name, change the stamp too, and then the content must
    be checked.

    Args:
        status: Status of the file.
        now: Seconds since 1970.

    Returns:
        The stamp; empty while the file is so new that a change might not alter its timestamps.
    """
    if status.st_ctime > now - SETTLED_SECONDS:
        return ""
    return f"{status.st_ino} {status.st_size} {status.st_mtime_ns} {status.st_ctime_ns}"


@contextmanager
def open_media(path: Path, roots: Sequence[Path] = ()) -> Iterator[MediaFile]:
    """Open a regular, non-empty file under one of the roots.

    Symbolic links, on the way or of the file itself, are followed if they lead to within a root. If
    folders and links are replaced meanwhile, either the checked file is opened, or none.

    Args:
        path: The path that the user gave.
        roots: Folders that may contain media; none means anywhere.

    Yields:
        The open file, which is closed afterwards.

    Raises:
        MediaRefused: A folder, a device, outside the roots, a playlist, or a name that is
            not UTF-8.
        VideoError: Missing, unreadable or empty, or moved while it was opened.
    """
    real = _resolved(path)
    top = _root_of(path, real, roots)
    try:
        descriptor = os.open(real, _READ) if top is None else _walk(top, real)
    except PermissionError as error:
        raise VideoError(f"{path}: {_unreadable(error)}") from error
    except OSError as error:
        raise VideoError(f"{path}: was moved while it was opened; try again") from error
    try:
        file = MediaFile(real, descriptor)
        _check(path, file)
        yield file
    finally:
        os.close(descriptor)


_READ = os.O_RDONLY | os.O_NOFOLLOW | os.O_NONBLOCK | os.O_CLOEXEC  # does not wait for a pipe


def _resolved(path: Path) -> Path:
    try:
        real = path.resolve(strict=True)
        status = real.lstat()
    except PermissionError as error:
        raise VideoError(f"{path}: {_unreadable(error)}") from error
    except (OSError, ValueError, RuntimeError) as error:
        raise VideoError(f"{path}: no such file; check the name and the folder") from error
    _check_kind(path, status)
    try:
        str(real).encode()  # a database can hold nothing else
    except UnicodeEncodeError as error:
        shown = os.fsencode(real).decode(errors="backslashreplace")
        raise MediaRefused(f"{shown}: its name is not UTF-8; rename it") from error
    return real


def _unreadable(error: OSError) -> str:
    return f"cannot be read ({error.strerror}); check its rights"


def _check_kind(path: Path, status: os.stat_result) -> None:
    if stat.S_ISDIR(status.st_mode):
        raise MediaRefused(f"{path}: is a folder; name a video file in it")
    if not stat.S_ISREG(status.st_mode):
        raise MediaRefused(f"{path}: is not a regular file; copy the video into one")


def _root_of(path: Path, real: Path, roots: Sequence[Path]) -> Path | None:
    tops = [root.resolve() for root in roots]
    found = next((top for top in tops if real.is_relative_to(top)), None)
    if roots and found is None:
        allowed = ", ".join(str(root) for root in roots)
        raise MediaRefused(f"{path}: lies outside the media folders; move it under {allowed}")
    return found


def _walk(top: Path, real: Path) -> int:
    """Open a file by descending from its root folder without following links."""
    top = top.parent if top == real else top  # a single file may also be a root
    *folders, name = real.relative_to(top).parts
    here = os.open(top, _PASS | os.O_DIRECTORY | os.O_CLOEXEC)
    try:
        for folder in folders:
            flags = _PASS | os.O_DIRECTORY | os.O_NOFOLLOW | os.O_CLOEXEC
            below = os.open(folder, flags, dir_fd=here)
            os.close(here)
            here = below
        return os.open(name, _READ, dir_fd=here)
    finally:
        os.close(here)


def _check(path: Path, file: MediaFile) -> None:
    status = file.status
    _check_kind(path, status)
    if status.st_size == 0:
        raise VideoError(f"{path}: is empty; copy or download it again")
    try:
        head = file.head
    except OSError as error:
        raise VideoError(f"{path}: {_unreadable(error)}") from error
    if head.lstrip(b"\xef\xbb\xbf \r\n\t").startswith(_PLAYLIST_HEADS):
        raise MediaRefused(f"{path}: is a playlist, not a video; name the video file it points to")
