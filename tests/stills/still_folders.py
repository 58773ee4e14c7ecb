"""Folders of made stills: soft shapes by seed, no two alike."""

from collections.abc import Mapping
from pathlib import Path

import numpy as np
from numpy.typing import NDArray
from PIL import Image


def blobs(seed: int, height: int = 60, width: int = 80) -> NDArray[np.uint8]:
    """A picture of large soft shapes, unlike any other seed's."""
    coarse = np.random.default_rng(seed).integers(0, 256, (6, 7, 3), np.uint8)
    return np.asarray(Image.fromarray(coarse).resize((width, height), Image.Resampling.BICUBIC))


def write_stills(folder: Path, counts: Mapping[str, int], twins_of: str = "") -> Path:
    """Write `LABEL/pic_NNNN.png` files.

    Args:
        folder: where to.
        counts: how many stills of each label; no seed is used twice.
        twins_of: of this label, every still has a smaller copy of itself beside it besides.
    """
    for number, (label, count) in enumerate(counts.items()):
        (folder / label).mkdir(parents=True, exist_ok=True)
        for index in range(count):
            picture = Image.fromarray(blobs(100_000 * number + index))
            picture.save(folder / label / f"pic_{index:04}.png")
            if label == twins_of:
                picture.resize((56, 42)).save(folder / label / f"pic_{index:04}_twin.png")
    return folder
