"""How often a network looks: at each region of a frame once, at the whole frame perhaps twice.

A figure that is small in a wide frame is larger in a closer view of its middle. The mean of both
answers is right more often than either, as the mean of several views of a picture mostly is
(Krizhevsky et al., ImageNet classification with deep convolutional neural networks, 2012).
"""

from collections.abc import Sequence
from typing import Final

import numpy as np
from numpy.typing import NDArray

from model.forward import ForwardPass
from model.preprocess import resize

WHOLE: Final = "full"
"""The region that has a closer view; halves are closer views themselves."""


def region_logits(
    forward: ForwardPass, pictures: NDArray[np.uint8], regions: Sequence[str], closer_view: float
) -> NDArray[np.float32]:
    """Return the logits (n, regions, labels) of frames.

    Args:
        forward: of the network.
        pictures: (n, regions, side, side, 3), each region as the preprocessing makes it.
        regions: their names, in this order.
        closer_view: the middle of the whole, as a share of its side, that is looked at once more;
            0 for never.
    """
    count, _, *shape = pictures.shape
    seen = pictures.reshape(-1, *shape)
    twice = bool(closer_view) and WHOLE in regions
    if twice:
        whole = list(regions).index(WHOLE)
        closer = np.empty((count, *shape), np.uint8)
        for number, picture in enumerate(pictures[:, whole]):
            closer[number] = view_closer(picture, closer_view)
        seen = np.concatenate([seen, closer])
    logits = forward.logits(seen)
    first = count * len(regions)
    by_region = logits[:first].reshape(count, len(regions), logits.shape[-1])
    if twice:
        by_region[:, whole] = (by_region[:, whole] + logits[first:]) / 2
    return by_region


def whole_logits(
    forward: ForwardPass, pictures: NDArray[np.uint8], closer_view: float
) -> NDArray[np.float32]:
    """Return the logits (n, labels) of pictures (n, side, side, 3) that are looked at as wholes."""
    return region_logits(forward, pictures[:, None], (WHOLE,), closer_view)[:, 0]


def view_closer(picture: NDArray[np.uint8], share: float) -> NDArray[np.uint8]:
    """Return the middle of a picture (side, side, 3) as large as the whole.

    Args:
        picture: as a network sees it.
        share: of its side that stays.
    """
    side = len(picture)
    margin = round(side * (1 - share) / 2)
    return resize(picture[margin : side - margin, margin : side - margin], side, side)
