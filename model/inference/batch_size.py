"""Find the batch size with which a device is fastest."""

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
"""Least speed-up by which a doubled batch is worth its memory."""

LARGEST: Final = BATCH_SIZE << 8
"""12,288 pictures: an hour of video at two samples per second, more than one claim covers."""

PASSES: Final = 5
"""Number of timed passes, of which the fastest counts: other load only makes a pass slower."""


def probe_batch_size(version: ModelVersion, device: Device) -> int:
    """Measure which batch size is fastest on a device (takes seconds).

    Args:
        version: The model version whose network is timed.
        device: The device, as for `Classifier.load`.

    Returns:
        The number of pictures per batch.

    Raises:
        ModelError: The model version cannot be loaded on the device.
    """
    return largest_worthwhile(lambda size: _pictures_per_second(version, device, size))


def largest_worthwhile(
    pictures_per_second: Callable[[int], float], first: int = BATCH_SIZE, most: int = LARGEST
) -> int:
    """Double the batch size while that gains 5 % and fits into memory; return the largest one.

    Args:
        pictures_per_second: Measures a batch size; raises DeviceError if memory runs out.
        first: The size to begin with, which must fit into memory.
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
