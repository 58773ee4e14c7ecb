"""Files that are whole or absent: a reader never meets half of one."""

import os
import secrets
import stat
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from timeline.errors import TimelineError

LONGEST_STEM, LONGEST_SUFFIX = 40, 16
"""Letters of a file's own name that its temporary one has: with four bytes each, and with what is
added, fewer than the 255 of any file system. No format is told by a longer suffix."""

LARGEST_TEXT_BYTES = 64_000_000
"""Of a text that is read: two million true ranges, which take a gigabyte of memory."""

ENCODING = "utf-8-sig"
"""UTF-8, with or without the byte order mark that spreadsheets and editors put first."""


def read_text(path: Path) -> str:
    """Read a regular file, with its line ends as they are.

    Raises:
        TimelineError: It is absent, no regular file, too large, not readable or not in UTF-8.
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
    except ValueError as error:  # no text of the encoding, or a name that no file can have
        raise TimelineError(f"{path}: is not a text in UTF-8 ({error}); save it as one") from error


def _open_at_once(path: str, flags: int) -> int:
    # Without O_NONBLOCK, a named pipe makes the open wait for somebody who writes into it.
    return os.open(path, flags | getattr(os, "O_NONBLOCK", 0))


def check_free(path: Path, may_replace: bool, option: str = "--force") -> None:
    """Refuse to write where something is already, unless told to replace it.

    Args:
        path: Where to write.
        may_replace: Whether its user said so.
        option: How it is said.

    Raises:
        TimelineError: There is something.
    """
    if not may_replace and os.path.lexists(path):  # also a link that leads nowhere
        raise TimelineError(f"{path}: is there already; {option} replaces it")


@contextmanager
def whole_file(path: Path) -> Iterator[Path]:
    """Lend a temporary file beside `path`, which takes its place if the block ends well.

    The temporary file keeps the suffix, for there are writers that choose their format by it.

    Raises:
        TimelineError: The folder is absent or full, or cannot be written to, or `path` is one, or a
            device or a pipe, whose place no file shall take.
    """
    stem, suffix = path.stem[:LONGEST_STEM], path.suffix[:LONGEST_SUFFIX]
    temporary = path.parent / f".{stem}-{secrets.token_hex(4)}{suffix}"
    try:
        if path.is_dir():
            raise TimelineError(f"{path}: is a folder; name a file in it")
        if path.exists() and not path.is_file():
            raise TimelineError(f"{path}: is not a regular file; name another")
        # Opened anew and not by tempfile, whose files only their owner may read.
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
