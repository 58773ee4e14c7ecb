"""A short made episode: shots of coloured blocks that a drifting square crosses."""

from collections.abc import Iterator
from fractions import Fraction
from pathlib import Path

import cv2
import numpy as np
from numpy.typing import NDArray

from ingest.frames.write_video import write_video

FRAME_RATE = Fraction(12)
WIDTH, HEIGHT = 192, 144


def write_clip(path: Path, seconds: int = 40, seed: int = 1) -> Path:
    """Write an MP4 with a key frame every 2 s and cuts where they happen to fall.

    Args:
        path: the file to write.
        seconds: how long it lasts.
        seed: another number gives other pictures.
    """
    write_video(path, _pictures(seconds, seed), FRAME_RATE)
    return path


def _pictures(seconds: int, seed: int) -> Iterator[NDArray[np.uint8]]:
    lot = np.random.default_rng(seed)
    left = int(seconds * FRAME_RATE)
    while left > 0:
        frames = min(left, int(lot.integers(12, 48)))
        blocks = lot.integers(0, 256, (3, 4, 3), dtype=np.uint8)
        shot = cv2.resize(blocks, (WIDTH, HEIGHT), interpolation=cv2.INTER_NEAREST)
        for number in range(frames):
            picture = shot.copy()
            picture[48:96, number * 3 : number * 3 + 40] = 255 - blocks[0, 0]
            yield picture.astype(np.uint8)
        left -= frames
