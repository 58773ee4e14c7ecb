"""Stills of drawn shapes: what a network of a few thousand weights learns in seconds."""

from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Final

import numpy as np
from numpy.typing import NDArray
from PIL import Image, ImageDraw

from model.dataset.stills import Stills
from model.pictures.preprocess import TASK, Preprocessing

SHAPES: Final = ("disc", "frame", "wedge")


def draw(shape: str, seed: int, width: int = 66, height: int = 88) -> NDArray[np.uint8]:
    """One of SHAPES in any colour on any soft background: only its form tells what it is."""
    return draw_boxed(shape, seed, width, height)[0]


def draw_boxed(
    shape: str, seed: int, width: int = 66, height: int = 88
) -> tuple[NDArray[np.uint8], Callable[[int], NDArray[np.float32]]]:
    """What `draw` draws, and the box around it (1, 5) under the label's number."""
    rng = np.random.default_rng(seed)
    coarse = Image.fromarray(rng.integers(0, 110, (5, 4, 3), np.uint8))
    ink = tuple(map(int, rng.integers(150, 256, 3)))
    picture = coarse.resize((width, height), Image.Resampling.BICUBIC)
    size = int(min(width, height) * rng.uniform(0.6, 0.9))
    left, top = (int(rng.integers(0, length - size + 1)) for length in (width, height))
    box = (left, top, left + size - 1, top + size - 1)
    pen = ImageDraw.Draw(picture)
    if shape == "disc":
        pen.ellipse(box, fill=ink)
    elif shape == "frame":
        pen.rectangle(box, outline=ink, width=max(3, size // 7))
    else:
        pen.polygon([(box[0], box[1]), (box[2], box[1]), (box[0], box[3])], fill=ink)
    edges = np.array([left, top, left + size, top + size]) / [width, height, width, height]
    return np.asarray(picture), lambda number: np.array([[number, *edges]], np.float32)


def shape_stills(per_shape: int, first_seed: int = 0, rule: Preprocessing = TASK) -> Stills:
    """So many stills of each shape, as a part of a dataset is unpacked."""
    return Stills.from_pictures(SHAPES, _drawn(per_shape, first_seed), rule)


def write_shapes(folder: Path, per_shape: int) -> Path:
    """Write `SHAPE/pic_NNNN.png` files."""
    for shape in SHAPES:
        (folder / shape).mkdir(parents=True)
    for index, (picture, number) in enumerate(_drawn(per_shape, 0)):
        Image.fromarray(picture).save(folder / SHAPES[number] / f"pic_{index:04}.png")
    return folder


def _drawn(per_shape: int, first_seed: int) -> Iterator[tuple[NDArray[np.uint8], int]]:
    for number, shape in enumerate(SHAPES):
        for index in range(per_shape):
            yield draw(shape, first_seed + 1000 * number + index), number
