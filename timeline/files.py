"""Files that are written atomically: a reader never sees half of one."""

import os
import secrets
import stat
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from timeline.errors import TimelineError

LONGEST_STEM, LONGEST_SUFFIX = 40, 16
"""Characters of a file's name that its temporary name keeps: with four bytes each, and with the
additions, fewer than the 255 of any file system. No format has a longer suffix."""

LARGEST_TEXT_BYTES = 64_000_000
"""Largest text to read: two million true ranges, which take a gigabyte of memory."""

ENCODING = "utf-8-sig"
"""UTF-8, with or without the byte order mark that spreadsheets and editors put first."""


def read_text(path: Path) -> str:
    """Read a regular file, with its line ends unchanged.

    Raises:
        TimelineError: The file is absent, not a regular file, too large, unreadable or not UTF-8.
    """
    try:
        # Path.open takes no opener.
        with open(path, encoding=ENCODING, newline="", opener=_open_at_once) as file:
            status = os.fstat(file.fileno())
            if not stat.S_ISREG(status.st_mode):
                raise TimelineError(f"{path}: is not a regular file; save the text as one")
            if status.st_size > LARGEST_TEXT_BYTES:
                largest = f"{LARGEST_TEXT_BYTES // 1_000_000} MB"
                raise TimelineError(f"{path}: more than {largest}; is this the file you meant?")
            return file.read(LARGEST_TEXT_BYTES)
    except OSError as error:
        raise TimelineError(f"{path}: cannot be read ({error.strerror}); check the path") from error
    except ValueError as error:  # not valid in the encoding, or an impossible file name
        raise TimelineError(f"{path}: is not a text in UTF-8 ({error}); save it as one") from error


def _open_at_once(path: str, flags: int) -> int:
    # Without O_NONBLOCK, opening a named pipe waits for a writer.
    return os.open(path, flags | getattr(os, "O_NONBLOCK", 0))


def check_free(path: Path, may_replace: bool, option: str = "--force") -> None:
    """Refuse to write to a path that exists, unless it may be replaced.

    Args:
        path: The path to write.
        may_replace: Whether the user allowed it.
        option: The option by which the user allows it, for the message.

    Raises:
        TimelineError: The path exists.
    """
    if not may_replace and os.path.lexists(path):  # also a broken symbolic link
        raise TimelineError(f"{path}: is there already; {option} replaces it")


@contextmanager
def whole_file(path: Path) -> Iterator[Path]:
    """Lend a temporary file beside `path`, which replaces it if the block succeeds.

    The temporary file keeps the suffix, because some writers choose their format by it.

    Raises:
        TimelineError: The folder is absent, full or not writable, or `path` is a folder, or a
            device or a pipe, which no file shall replace.
    """
    stem, suffix = path.stem[:LONGEST_STEM], path.suffix[:LONGEST_SUFFIX]
    temporary = path.parent / f".{stem}-{secrets.token_hex(4)}{suffix}"
    try:
        if path.is_dir():
            raise TimelineError(f"{path}: is a folder; name a file in it")
        if path.exists() and not path.is_file():
            raise TimelineError(f"{path}: is not a regular file; name another")
        # Opened again and not by tempfile, whose files only their owner may read.
        temporary.touch(exist_ok=False)
        yield temporary
        with temporary.open("rb") as file:
            os.fsync(file.fileno())
        temporary.replace(path)
    except OSError as error:
        raise TimelineError(
            f"{path}: cannot be written ({error.strerror or error}); "
            "choose a folder that exists, has space and can be written to"
        ) from error
    finally:
        temporary.unlink(missing_ok=True)
