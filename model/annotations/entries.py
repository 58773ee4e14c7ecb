"""What annotation files of every format hold: a picture, a label, four corners."""

from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Final

from model.errors import StillsError

MAX_BYTES: Final = 64_000_000
"""A file with more is refused: 64 MB are 700,000 rows, and as JSON take 600 MB of memory."""


@dataclass(frozen=True)
class Entry:
    """A box as a file has it, unchecked; or a picture that it names without any box."""

    picture: str
    """As the file names it."""
    where: str
    """In the file, such as `line 3`."""
    label: str | None = None
    """As the file writes it; None for a picture without a box."""
    corners: tuple[float, float, float, float] | None = None
    """Left, top, right, bottom, in units of `size`; None for a picture without a box."""
    size: tuple[float, float] | None = (1.0, 1.0)
    """Width and height of the picture in the corners' unit; None if the corners are pixels of the
    picture and the file does not say how large it is."""
    fault: str = ""
    """Why this cannot be read, if it cannot."""


Entries = Iterator[Entry]


def read_bytes(path: Path) -> bytes:
    """Return an annotation file's content.

    Raises:
        StillsError: it is no regular file, too large, or cannot be read; the line names it.
    """
    try:
        if not path.is_file():
            raise StillsError(f"{path}: no regular file; give a file of boxes, or a folder")
        with path.open("rb") as file:
            content = file.read(MAX_BYTES + 1)
    except OSError as error:
        raise StillsError(f"{path}: cannot be read ({error.strerror})") from error
    if len(content) > MAX_BYTES:
        raise StillsError(
            f"{path}: more than {MAX_BYTES // 1_000_000} MB; write its boxes to several files"
        )
    return content


def read_text(path: Path) -> str:
    """Return an annotation file's content, which is UTF-8.

    Raises:
        StillsError: see `read_bytes`; or it is no UTF-8.
    """
    try:
        return read_bytes(path).decode("utf-8-sig")
    except UnicodeDecodeError as error:
        raise StillsError(f"{path}: is no text in UTF-8; save it as such") from error


def numbers(*texts: object) -> tuple[float, ...]:
    """Return numbers that a file has, as text or as numbers.

    Raises:
        ValueError: one is none; the line shows it.
    """
    try:
        return tuple(float(text) for text in texts)  # type: ignore[arg-type]
    except (TypeError, ValueError, OverflowError) as error:
        shown = ", ".join(str(text)[:20] for text in texts)
        raise ValueError(f"not four numbers: {shown}") from error


def corners(
    left: object, top: object, right: object, bottom: object
) -> tuple[float, float, float, float]:
    """Return four corners that a file has.

    Raises:
        ValueError: one is no number.
    """
    a, b, c, d = numbers(left, top, right, bottom)
    return a, b, c, d
