"""Add new stills to a folder, numbered like those of the original set."""

from collections.abc import Iterator
from itertools import count
from pathlib import Path

import numpy as np
from numpy.typing import NDArray
from PIL import Image

from model.pictures.files import UNREADABLE, to_jpeg


def add_still(folder: Path, picture: NDArray[np.uint8], comment: str) -> Path:
    """Write a picture as `pic_NNNN.jpg` under the first free number; never replace a file.

    Args:
        folder: The folder to write to; it is created if it does not exist.
        picture: (height, width, 3) RGB.
        comment: Comment stored in the file, which may be moved and renamed.

    Raises:
        OSError: The file cannot be written.
    """
    folder.mkdir(parents=True, exist_ok=True)
    content = to_jpeg(picture, comment)
    path = _reserved(folder)
    # whole or empty: the name is reserved, so that no other file is replaced
    unfinished = folder / f".{path.name}.part"
    unfinished.write_bytes(content)
    unfinished.replace(path)
    return path


def comments_in(folder: Path) -> Iterator[tuple[Path, str]]:
    """Yield the JPEG files under a folder, wherever they were moved to, and their comments.

    Args:
        folder: May be missing. Files that are empty, damaged or in another format are skipped.
    """
    for path in folder.rglob("*.jpg"):
        try:
            with Image.open(path, formats=("JPEG",)) as picture:  # reads only its header
                comment = picture.info.get("comment", b"")
        except UNREADABLE:
            continue
        yield path, comment.decode("utf-8", "replace")


def _reserved(folder: Path) -> Path:
    """Create an empty file under the first free number from the folder's count."""
    for number in count(sum(1 for _ in folder.glob("pic_*"))):
        path = folder / f"pic_{number:04}.jpg"
        try:
            path.touch(exist_ok=False)
        except FileExistsError:
            continue
        return path
    raise AssertionError("numbers never end")
