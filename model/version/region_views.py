"""How often a network looks at each region of a frame, and at which scales.

A glance is a first look at a downscaled picture. It settles most pictures: a known character is
certainly there, or certainly none. Only the others are classified at full resolution, as in a
cascade (Viola and Jones, Rapid object detection using a boosted cascade of simple features, 2001),
which decides easy cases cheaply.

A figure that is small in a wide frame is larger in a closer view of its centre. The mean of both
outputs is correct more often than either, as with test-time augmentation in general (Krizhevsky et
al., ImageNet classification with deep convolutional neural networks, 2012).
"""

from dataclasses import dataclass
from typing import Final

from model.pictures.preprocess import Preprocessing

_LEAST_SIDE: Final = 32  # pixels: networks that halve it five times are left with one


def glance_sides(network: str, preprocessing: Preprocessing) -> range:
    """Return the sides in pixels that a network's glances may have."""
    # network baseline accepts pictures of one size only, network dense of one shape
    return range(_LEAST_SIDE, preprocessing.side if network == "residual" else _LEAST_SIDE)


@dataclass(frozen=True)
class RegionViews:
    """The looks of a network at a frame."""

    closer_view: float = 0.0
    """Centre of a whole frame, as a share of its side, that is classified additionally; 0 for
    never."""
    glance_side: int = 0
    """Side in pixels of the downscaled first look; 0 for never."""
    glance_clear: float = 0.0
    """Confidence, before calibration, from which a glance suffices: either the most likely known
    label has it, or `unknown` does, because the known labels together leave at most 1 minus it."""
