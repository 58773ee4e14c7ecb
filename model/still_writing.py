"""New stills in a folder that may hold some already, numbered as the original set's are."""

from itertools import count
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from model.pictures import to_jpeg


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
