"""Compute the logits of frames' regions, in the views of `model.version.region_views`."""

from collections.abc import Sequence

import numpy as np
from numpy.typing import NDArray

from model.inference.confidence import softmax
from model.inference.forward import ForwardPass
from model.labels import UNKNOWN
from model.pictures.preprocess import resize
from model.pictures.regions import WHOLE
from model.pictures.threads import on_all_cores
from model.version.region_views import RegionViews


def region_logits(
    forward: ForwardPass,
    pictures: NDArray[np.uint8],
    regions: Sequence[str],
    labels: Sequence[str],
    views: RegionViews,
) -> NDArray[np.float32]:
    """Return the logits (n, regions, labels) of frames.

    Args:
        forward: The network's forward pass.
        pictures: (n, regions, side, side, 3), each region preprocessed.
        regions: Names of the regions, in this order.
        labels: Names of the labels, in the order of the logits.
        views: The views of each region.
    """
    count, _, *shape = pictures.shape
    seen = pictures.reshape(-1, *shape)
    # halves are closer views already
    twice = bool(views.closer_view) and WHOLE in regions
    if twice:
        whole = list(regions).index(WHOLE)
        closer = np.empty((count, *shape), np.uint8)
        for number, picture in enumerate(pictures[:, whole]):
            closer[number] = view_closer(picture, views.closer_view)
        seen = np.concatenate([seen, closer])
    logits = _logits(forward, seen, labels, views)
    first = count * len(regions)
    by_region = logits[:first].reshape(count, len(regions), logits.shape[-1])
    if twice:
        by_region[:, whole] = (by_region[:, whole] + logits[first:]) / 2
    return by_region


def whole_logits(
    forward: ForwardPass, pictures: NDArray[np.uint8], labels: Sequence[str], views: RegionViews
) -> NDArray[np.float32]:
    """Return the logits (n, labels) of pictures (n, side, side, 3), classified as wholes."""
    return region_logits(forward, pictures[:, None], (WHOLE,), labels, views)[:, 0]


def view_closer(picture: NDArray[np.uint8], share: float) -> NDArray[np.uint8]:
    """Return the centre of a picture (side, side, 3), enlarged to the size of the whole.

    Args:
        picture: A picture as a network sees it.
        share: Share of its side that is kept.
    """
    side = len(picture)
    margin = round(side * (1 - share) / 2)
    return resize(picture[margin : side - margin, margin : side - margin], side, side)


def _logits(
    forward: ForwardPass, pictures: NDArray[np.uint8], labels: Sequence[str], views: RegionViews
) -> NDArray[np.float32]:
    """Return the logits (n, labels) of pictures (n, side, side, 3) without a closer view."""
    if not views.glance_side or not len(pictures):
        return forward.logits(pictures)
    side = views.glance_side
    small = on_all_cores(lambda picture: resize(picture, side, side), list(pictures))
    logits = forward.logits(np.stack(small))
    known = [label != UNKNOWN for label in labels]
    likeliest = softmax(logits)[:, known].max(axis=1)
    unclear = (likeliest > 1 - views.glance_clear) & (likeliest < views.glance_clear)
    logits[unclear] = forward.logits(pictures[unclear])
    return logits
