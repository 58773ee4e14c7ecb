"""How many pictures a device works on best at once."""

import time
from collections.abc import Callable
from typing import Final

import numpy as np

from model.errors import DeviceError
from model.inference.classifier import BATCH_SIZE, Classifier
from model.inference.device import Device
from model.pictures.preprocess import shape_seen
from model.version.artifact import ModelVersion

LEAST_GAIN: Final = 1.05
"""A larger batch that is not at least so much faster is not worth its memory."""

LARGEST: Final = BATCH_SIZE << 8
"""12,288 pictures: an hour of video at two looks per second, more than is claimed at once."""

PASSES: Final = 5
"""Of which the fastest counts: whatever else the machine does only makes a pass slower."""


def probe_batch_size(version: ModelVersion, device: Device) -> int:
    """Finds the batch size that a device does best with, by trying (seconds).

    Args:
        version: The model version whose network is tried.
        device: As `Classifier.load` takes it.

    Raises:
        ModelError: The model version cannot be loaded on the device at all.
    """
    return largest_worthwhile(lambda size: _pictures_per_second(version, device, size))


def largest_worthwhile(
    pictures_per_second: Callable[[int], float], first: int = BATCH_SIZE, most: int = LARGEST
) -> int:
    """Doubles a batch until that gains less than 5 % or memory runs out, then goes a step back.

    Args:
        pictures_per_second: Measures a batch size; raises DeviceError where memory runs out.
        first: The size to begin with, which has to fit.
        most: The largest size to try.
    """
    best, best_rate = first, pictures_per_second(first)
    while 2 * best <= most:
        try:
            rate = pictures_per_second(2 * best)
        except DeviceError:
            return best
        if rate < LEAST_GAIN * best_rate:
            return best
        best, best_rate = 2 * best, rate
    return best


def _pictures_per_second(version: ModelVersion, device: Device, batch_size: int) -> float:
    shape = shape_seen(version.manifest.preprocessing)
    classifier = Classifier.load(version, device=device, batch_size=batch_size)
    pictures = np.zeros((batch_size, *shape, 3), np.uint8)
    seconds = []
    for _ in range(PASSES):
        began = time.perf_counter()
        classifier.confidences_of_pictures(pictures)
        seconds.append(time.perf_counter() - began)
    return batch_size / min(seconds)
