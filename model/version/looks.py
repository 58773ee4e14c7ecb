"""How often a network looks at the regions of a frame, and how closely.

A glance is a first look at a picture made smaller. Most pictures are clear at a glance: somebody
known is surely there, or surely nobody. Only the others are looked at as they are. As in a cascade
(Viola and Jones, Rapid object detection using a boosted cascade of simple features, 2001), what is
easy is decided cheaply.

A figure that is small in a wide frame is larger in a closer view of its middle. The mean of both
answers is right more often than either, as the mean of several views of a picture mostly is
(Krizhevsky et al., ImageNet classification with deep convolutional neural networks, 2012).
"""

from dataclasses import dataclass
from typing import Final

from model.pictures.preprocess import Preprocessing

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
