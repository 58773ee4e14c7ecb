"""Opening a user's file once: what was checked is what is read, whatever becomes of its name.

The standard library alone, so that the parent can open what its decoder process reads: the child
is handed the descriptor and never resolves a path.
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
"""A file that was changed within these may be changed again without its times telling: the coarsest
in use, of FAT, count in steps of two seconds."""

HEAD_BYTES = 16
"""As many as tell a playlist, or an MP4 without its index, from others."""

_PLAYLIST_HEADS = (b"#EXTM3U", b"ffconcat", b"[playlist]", b"<?xml", b"<MPD")

_PASS = getattr(os, "O_PATH", os.O_RDONLY)
"""To pass through a folder without reading it, where the system has such a flag."""


@dataclass(frozen=True)
class MediaFile:
    """A regular file that is open.

    Attributes:
        path: absolute and real, as it was when the file was opened; for people.
        descriptor: what it is read by.
    """

    path: Path
    descriptor: int

    @property
    def place(self) -> str:
        """A name of the open file itself, for libraries that open by name."""
        return f"/dev/fd/{self.descriptor}"

    @property
    def status(self) -> os.stat_result:
        """What the file system says of it now."""
        return os.fstat(self.descriptor)

    @property
    def head(self) -> bytes:
        """Its first bytes."""
        return os.pread(self.descriptor, HEAD_BYTES, 0)

    @property
    def stamp(self) -> str:
        """See `stamp_of`."""
        return stamp_of(self.status, time.time())


def stamp_of(status: os.stat_result, now: float) -> str:
    """What stays the same exactly as long as the content does: so far, nobody wrote to the file.

    Any program sets the time of the last change of the content (mtime) as it likes; that of the
    last change of anything (ctime) the system alone sets. Other changes, as of rights or name,
    change the stamp too, and then the content must be looked at.

    Args:
        status: of the file.
        now: seconds since 1970.

    Returns:
        The stamp; empty while the file is so new that a change might not change its times.
    """
    if status.st_ctime > now - SETTLED_SECONDS:
        return ""
    return f"{status.st_ino} {status.st_size} {status.st_mtime_ns} {status.st_ctime_ns}"


@contextmanager
def open_media(path: Path, roots: Sequence[Path] = ()) -> Iterator[MediaFile]:
    """Open a regular, non-empty file under one of the roots.

    Links, on the way or of the file itself, are followed if they lead to within a root. Who
    exchanges folders and links meanwhile gets the file opened that was checked, or none.

    Args:
        path: what the user named.
        roots: folders that media may lie in; none means anywhere.

    Yields:
        The open file, closed afterwards.

    Raises:
        MediaRefused: a folder, a device, outside the roots, a playlist, or a name that is
            not UTF-8.
        VideoError: missing, unreadable or empty, or moved while it was opened.
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


_READ = os.O_RDONLY | os.O_NOFOLLOW | os.O_NONBLOCK | os.O_CLOEXEC  # a pipe is not waited for


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
        str(real).encode()  # all that a database can hold
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
    """Open a file by going down from its root folder, through no link: there were none left."""
    top = top.parent if top == real else top  # a single file may be a root, too
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
