"""What annotation files of every format hold: a picture, a label, four corners."""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Final

from model.errors import StillsError

Corners = tuple[float, float, float, float]
"""Left, top, right, bottom."""

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
    corners: Corners | None = None
    """Left, top, right, bottom, in units of `size`; None for a picture without a box."""
    size: tuple[float, float] | None = (1.0, 1.0)
    """Width and height of the picture in the corners' unit; None if the corners are pixels of the
    picture and the file does not say how large it is."""
    fault: str = ""
    """Why this cannot be read, if it cannot."""
    other_names: tuple[str, ...] = ()
    """Under which the picture may lie besides."""


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
        raise ValueError(f"no numbers: {shown}") from error


def corners(*texts: object) -> Corners:
    """Return left, top, right and bottom.

    Raises:
        ValueError: one is no number.
    """
    left, top, right, bottom = numbers(*texts)
    return left, top, right, bottom


def corners_of_sides(*texts: object) -> Corners:
    """Return the corners of left, top, width and height.

    Raises:
        ValueError: one is no number.
    """
    left, top, width, height = numbers(*texts)
    return left, top, left + width, top + height


def corners_of_points(across: Sequence[object], down: Sequence[object]) -> Corners:
    """Return the corners of the box around points.

    Raises:
        ValueError: there are none, or one is no number.
    """
    xs, ys = numbers(*across), numbers(*down)
    return min(xs), min(ys), max(xs), max(ys)


def check_upright(degrees: object) -> None:
    """Refuse a box that is turned.

    Raises:
        ValueError: it is, or this is no number.
    """
    [turn] = numbers(degrees)
    if turn:
        raise ValueError(f"it is turned by {turn:g} degrees; draw it upright")


def size_of(width: object, height: object) -> tuple[float, float] | None:
    """Return the width and height that a file tells of a picture; None if it tells none.

    Raises:
        ValueError: one is no number.
    """
    if not (width and height):
        return None
    across, down = numbers(width, height)
    return (across, down) if across and down else None
