"""The common content of annotation files in every format: a picture, a label, four corners."""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Final

from model.errors import StillsError

Corners = tuple[float, float, float, float]
"""Left, top, right, bottom."""

MAX_BYTES: Final = 64_000_000
"""Largest file: 64 MB are 700,000 rows, and as JSON take 600 MB of memory."""


@dataclass(frozen=True)
class Entry:
    """An unvalidated box of a file; or a picture that the file names without any box."""

    picture: str
    """Name of the picture in the file."""
    where: str
    """Position in the file, such as `line 3`."""
    label: str | None = None
    """Label as the file writes it; None for a picture without a box."""
    corners: Corners | None = None
    """Left, top, right, bottom, in units of `size`; None for a picture without a box."""
    size: tuple[float, float] | None = (1.0, 1.0)
    """Width and height of the picture in the corners' unit; None if the corners are in pixels and
    the file does not tell the picture's size."""
    fault: str = ""
    """Why this entry cannot be read; empty if it can."""
    other_names: tuple[str, ...] = ()
    """Further names under which the picture may be found."""


Entries = Iterator[Entry]


def read_bytes(path: Path) -> bytes:
    """Return an annotation file's content.

    Raises:
        StillsError: The file is not a regular file, too large, or cannot be read; the message names
            it.
    """
    try:
        if not path.is_file():
            raise StillsError(f"{path}: not a regular file; give a file of boxes, or a folder")
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
        StillsError: As `read_bytes`, or the content is not UTF-8.
    """
    try:
        return read_bytes(path).decode("utf-8-sig")
    except UnicodeDecodeError as error:
        raise StillsError(f"{path}: is not text in UTF-8; save it as such") from error


def numbers(*texts: object) -> tuple[float, ...]:
    """Return the numbers of a file, which may be text.

    Raises:
        ValueError: One is not a number; the message shows it.
    """
    try:
        return tuple(float(text) for text in texts)  # type: ignore[arg-type]
    except (TypeError, ValueError, OverflowError) as error:
        shown = ", ".join(str(text)[:20] for text in texts)
        raise ValueError(f"not numbers: {shown}") from error


def corners(*texts: object) -> Corners:
    """Return left, top, right and bottom.

    Raises:
        ValueError: One is not a number.
    """
    left, top, right, bottom = numbers(*texts)
    return left, top, right, bottom


def corners_of_sides(*texts: object) -> Corners:
    """Return the corners of left, top, width and height.

    Raises:
        ValueError: One is not a number.
    """
    left, top, width, height = numbers(*texts)
    return left, top, left + width, top + height


def corners_of_points(across: Sequence[object], down: Sequence[object]) -> Corners:
    """Return the corners of the bounding box of points.

    Raises:
        ValueError: There are none, or one is not a number.
    """
    xs, ys = numbers(*across), numbers(*down)
    return min(xs), min(ys), max(xs), max(ys)


def check_upright(degrees: object) -> None:
    """Refuse a rotated box.

    Raises:
        ValueError: The box is rotated, or the angle is not a number.
    """
    [turn] = numbers(degrees)
    if turn:
        raise ValueError(f"it is rotated by {turn:g} degrees; draw it upright")


def size_of(width: object, height: object) -> tuple[float, float] | None:
    """Return the width and height of a picture in a file; None if the file does not tell them.

    Raises:
        ValueError: One is not a number.
    """
    if not (width and height):
        return None
    across, down = numbers(width, height)
    return (across, down) if across and down else None
