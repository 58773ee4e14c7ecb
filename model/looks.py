"""How often a network looks at the regions of a frame, and how closely.

A glance is a first look at a picture made smaller. Most pictures are clear at a glance: somebody
known is surely there, or surely nobody. Only the others are looked at as they are. As in a cascade
(Viola and Jones, Rapid object detection using a boosted cascade of simple features, 2001), what is
easy is decided cheaply.

A figure that is small in a wide frame is larger in a closer view of its middle. The mean of both
answers is right more often than either, as the mean of several views of a picture mostly is
(Krizhevsky et al., ImageNet classification with deep convolutional neural networks, 2012).
"""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Final

import numpy as np
from numpy.typing import NDArray

from model.calibration import softmax
from model.forward import ForwardPass
from model.labels import UNKNOWN
from model.preprocess import Preprocessing, resize
from model.regions import WHOLE
from model.threads import on_all_cores

_LEAST_SIDE: Final = 32  # pixels: what networks halve five times is a single one then


def glance_sides(network: str, preprocessing: Preprocessing) -> range:
    """Return the sides in pixels at which a network can be shown pictures in passing."""
    # network baseline takes pictures of one side alone, network dense of one shape
    return range(_LEAST_SIDE, preprocessing.side if network == "residual" else _LEAST_SIDE)


@dataclass(frozen=True)
class Looks:
    """How often a network looks, and at what."""

    closer_view: float = 0.0
    """The middle of a whole, as a share of its side, that is looked at once more; 0 for never."""
    glance_side: int = 0
    """Pixels of what is looked at first; 0 for never."""
    glance_clear: float = 0.0
    """Confidence, before calibration, from which a glance is enough: the likeliest known label has
    it, or the known labels all leave it, so that the rest, 1 less it, is the most that any has."""

    def logits(
        self, forward: ForwardPass, pictures: NDArray[np.uint8], labels: Sequence[str]
    ) -> NDArray[np.float32]:
        """Return the logits (n, labels) of pictures (n, side, side, 3), looked at once."""
        if not self.glance_side or not len(pictures):
            return forward.logits(pictures)
        side = self.glance_side
        small = on_all_cores(lambda picture: resize(picture, side, side), list(pictures))
        logits = forward.logits(np.stack(small))
        known = [label != UNKNOWN for label in labels]
        likeliest = softmax(logits)[:, known].max(axis=1)
        unclear = (likeliest > 1 - self.glance_clear) & (likeliest < self.glance_clear)
        logits[unclear] = forward.logits(pictures[unclear])
        return logits


def region_logits(
    forward: ForwardPass,
    pictures: NDArray[np.uint8],
    regions: Sequence[str],
    labels: Sequence[str],
    looks: Looks,
) -> NDArray[np.float32]:
    """Return the logits (n, regions, labels) of frames.

    Args:
        forward: of the network.
        pictures: (n, regions, side, side, 3), each region as the preprocessing makes it.
        regions: their names, in this order.
        labels: in the order of the logits.
        looks: how often.
    """
    count, _, *shape = pictures.shape
    seen = pictures.reshape(-1, *shape)
    # halves are closer views themselves
    twice = bool(looks.closer_view) and WHOLE in regions
    if twice:
        whole = list(regions).index(WHOLE)
        closer = np.empty((count, *shape), np.uint8)
        for number, picture in enumerate(pictures[:, whole]):
            closer[number] = view_closer(picture, looks.closer_view)
        seen = np.concatenate([seen, closer])
    logits = looks.logits(forward, seen, labels)
    first = count * len(regions)
    by_region = logits[:first].reshape(count, len(regions), logits.shape[-1])
    if twice:
        by_region[:, whole] = (by_region[:, whole] + logits[first:]) / 2
    return by_region


def whole_logits(
    forward: ForwardPass, pictures: NDArray[np.uint8], labels: Sequence[str], looks: Looks
) -> NDArray[np.float32]:
    """Return the logits (n, labels) of pictures (n, side, side, 3) that are looked at as wholes."""
    return region_logits(forward, pictures[:, None], (WHOLE,), labels, looks)[:, 0]


def view_closer(picture: NDArray[np.uint8], share: float) -> NDArray[np.uint8]:
    """Return the middle of a picture (side, side, 3) as large as the whole.

    Args:
        picture: as a network sees it.
        share: of its side that stays.
    """
    side = len(picture)
    margin = round(side * (1 - share) / 2)
    return resize(picture[margin : side - margin, margin : side - margin], side, side)
