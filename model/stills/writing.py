"""New stills in a folder that may hold some already, numbered as the original set's are."""

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
        folder: where to; made if need be.
        picture: (height, width, 3) RGB.
        comment: kept in the file, which may be moved and renamed.

    Raises:
        OSError: it cannot be written.
    """
    folder.mkdir(parents=True, exist_ok=True)
    content = to_jpeg(picture, comment)
    path = _reserved(folder)
    # whole or empty: the name is ours by now, so that replacing it replaces nobody's file
    unfinished = folder / f".{path.name}.part"
    unfinished.write_bytes(content)
    unfinished.replace(path)
    return path


def comments_in(folder: Path) -> Iterator[tuple[Path, str]]:
    """Yield the JPEG files under a folder, wherever a person has moved them, and their comments.

    Args:
        folder: need not exist. Files that are empty, damaged or of another format are passed over.
    """
    for path in folder.rglob("*.jpg"):
        try:
            with Image.open(path, formats=("JPEG",)) as picture:  # its head alone is read
                comment = picture.info.get("comment", b"")
        except UNREADABLE:
            continue
        yield path, comment.decode("utf-8", "replace")


def _reserved(folder: Path) -> Path:
    """Make an empty file under the first number from the folder's count on that is free."""
    for number in count(sum(1 for _ in folder.glob("pic_*"))):
        path = folder / f"pic_{number:04}.jpg"
        try:
            path.touch(exist_ok=False)
        except FileExistsError:
            continue
        return path
    raise AssertionError("numbers never end")
