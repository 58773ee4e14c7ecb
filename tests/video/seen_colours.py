"""A made-up dense network that sees coloured blocks, and an episode that shows them.

`apple` is red, `birch` green, `cedar` blue; the brighter a block, the surer the network. All around
the network is real: `Classifier` fits the frames, calibrates and reads the places.
"""

from fractions import Fraction
from pathlib import Path
from typing import Any, NamedTuple

import cv2
import numpy as np
from numpy.typing import NDArray

from ingest.frames.write_video import write_video
from model.inference.classifier import Classifier
from model.inference.forward import ForwardPass
from model.networks.dense import EDGES, STRIDE
from model.version.artifact import ModelVersion, write_model_version
from tests.stills.models import manifest_by_lot

NAME = "colours"
LABELS = ("apple", "birch", "cedar", "unknown")
COLOURS = 3

FRAME_RATE = Fraction(12)
WIDTH, HEIGHT = 192, 144
SHOT_SECONDS = 2

SURE, DOUBTFUL = 250, 117
"""Brightness: the network's confidences are 0.98 and 0.41, where 0.4 is the onset."""


class Block(NamedTuple):
    """Somebody on screen, in pixels of the episode."""

    label: str
    brightness: int
    left: int
    top: int
    right: int
    bottom: int


SHOTS = {
    "sure": (Block("apple", SURE, 24, 36, 72, 96),),
    "doubtful": (Block("birch", DOUBTFUL, 120, 48, 168, 120),),
    "crowd": (
        Block("apple", SURE, 12, 24, 48, 72),
        Block("birch", SURE, 72, 60, 108, 108),
        Block("cedar", SURE, 132, 24, 180, 72),
    ),
    "nobody": (),
}
"""What the shots show, one after the other and again."""


def shot_at(seconds: float) -> str:
    """Which of SHOTS is on screen."""
    return list(SHOTS)[int(seconds / SHOT_SECONDS + 1e-6) % len(SHOTS)]


def write_episode(path: Path, seconds: int = 90, seed: int = 1) -> Path:
    """Write an MP4 of these shots, each before a background of its own."""
    lot = np.random.default_rng(seed)
    pictures = []
    for start in range(0, seconds, SHOT_SECONDS):
        grey = lot.integers(40, 220, (6, 8), dtype=np.uint8)
        picture = cv2.resize(grey, (WIDTH, HEIGHT), interpolation=cv2.INTER_NEAREST)
        picture = cv2.cvtColor(picture, cv2.COLOR_GRAY2RGB)
        for block in SHOTS[shot_at(start)]:
            colour = np.zeros(3, np.uint8)
            colour[LABELS.index(block.label)] = block.brightness
            picture[block.top : block.bottom, block.left : block.right] = colour
        pictures += [np.asarray(picture, np.uint8)] * int(SHOT_SECONDS * FRAME_RATE)
    write_video(path, pictures, FRAME_RATE)
    return path


def write_colours(models_folder: Path, **changes: Any) -> ModelVersion:
    """Write the model version `colours@1`; its weights are none, and never read."""
    manifest = manifest_by_lot(
        NAME,
        network="dense",
        network_parameters={},
        labels=LABELS,
        preprocessing="fit256x192",
        regions=("full",),
        loss="places",
        **changes,
    )
    folder = models_folder / f"{NAME}-{manifest.version}"
    return write_model_version(folder, manifest, {"none": np.zeros(1, np.float32)})


def load_colours(version: ModelVersion, **_options: Any) -> Classifier:
    """What `Classifier.load` gives for such a version."""
    return Classifier(version, _Colours())


class _Colours(ForwardPass):
    def __init__(self) -> None:
        super().__init__((192 // STRIDE, 256 // STRIDE, len(LABELS) + EDGES), batch_size=8)

    def _logits_of_batch(self, pictures: NDArray[np.uint8]) -> NDArray[np.float32]:
        return np.stack([_answers(picture.astype(int)) for picture in pictures])


def _answers(picture: NDArray[np.int_]) -> NDArray[np.float32]:
    answers = np.full((192 // STRIDE, 256 // STRIDE, len(LABELS) + EDGES), -9.0, np.float32)
    answers[..., LABELS.index("unknown")] = 9.0  # never to be told
    for number in range(COLOURS):
        others = np.delete(picture, number, axis=2).max(axis=2)
        coloured = picture[..., number] - others > 48
        if coloured.sum() < STRIDE:
            continue
        rows, columns = np.nonzero(coloured)
        left, right = columns.min(), columns.max() + 1
        top, bottom = rows.min(), rows.max() + 1
        row, column = (top + bottom) // 2 // STRIDE, (left + right) // 2 // STRIDE
        y, x = (row + 0.5) * STRIDE, (column + 0.5) * STRIDE
        brightness = np.median(picture[..., number][coloured])
        answers[row, column, number] = (brightness - 128) / 32
        distances = np.array([x - left, y - top, right - x, bottom - y])
        answers[row, column, len(LABELS) :] = np.log(distances / STRIDE)
    return answers
