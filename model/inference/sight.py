"""Prepare frames and stills for a network, and turn its output into confidences.

A regional network sees the whole frame and its halves as separate pictures, and its labels share
one softmax. A dense network sees the whole frame once and scores each label independently.
"""

from abc import ABC, abstractmethod
from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from model.inference.confidence import sigmoid, softmax
from model.inference.forward import ForwardPass
from model.inference.places import as_shares, most_likely_places
from model.inference.region_logits import region_logits, whole_logits
from model.pictures.preprocess import (
    Preprocessing,
    WholeFrame,
    preprocessing_named,
    whole_frame_named,
)
from model.pictures.regions import REGIONS, WHOLE, cut
from model.pictures.threads import on_all_cores
from model.recipe import Recipe
from model.version.manifest import Manifest
from model.version.region_views import RegionViews

Frames = Sequence[NDArray[np.uint8]]
"""Active pictures, each (height, width, 3) RGB of any size."""


@dataclass(frozen=True)
class FrameAnswers:
    """The output of a network for n frames."""

    logits: NDArray[np.float32]
    """(n, regions, labels)"""
    corners: NDArray[np.float64] | None = None
    """(n, labels, 4) left, top, right, bottom of each label's most likely place as shares of the
    frame; None if the network predicts no positions."""


class Sight(ABC):
    """Prepares the input of a network.

    Args:
        labels: Names of the labels, in the order of the network's outputs.
    """

    regions: tuple[str, ...]
    """Names of the regions of a frame that the network sees."""

    def __init__(self, labels: Sequence[str]) -> None:
        self.labels = tuple(labels)

    @property
    @abstractmethod
    def views_per_frame(self) -> int:
        """Number of pictures that the network sees per frame."""

    @property
    @abstractmethod
    def shapes(self) -> frozenset[tuple[int, int]]:
        """Heights and widths in pixels of the network's inputs."""

    @property
    @abstractmethod
    def rule(self) -> Preprocessing | WholeFrame:
        """The preprocessing of a picture that is classified as a whole."""

    @abstractmethod
    def of_frames(self, forward: ForwardPass, frames: Frames) -> FrameAnswers:
        """Return a network's output for frames.

        Raises:
            ModelError: A frame is not an RGB picture.
        """

    @abstractmethod
    def of_pictures(self, forward: ForwardPass, pictures: NDArray[np.uint8]) -> NDArray[np.float32]:
        """Return the logits (n, labels) of pictures (n, *shape, 3), classified as wholes."""

    @abstractmethod
    def confidences(self, logits: NDArray[np.floating], temperature: float) -> NDArray[np.float64]:
        """Return calibrated confidences of logits (..., labels), 0 to 1."""


class RegionSight(Sight):
    """Prepares the input of a regional network, whose labels share one softmax.

    Args:
        labels: Names of the labels, in the order of the logits.
        regions: Names of the regions of a frame, in their order.
        preprocessing: The preprocessing of each region.
        views: The views of each region.
    """

    def __init__(
        self,
        labels: Sequence[str],
        regions: tuple[str, ...],
        preprocessing: Preprocessing,
        views: RegionViews,
    ) -> None:
        super().__init__(labels)
        self.regions, self.views = regions, views
        self._preprocessing = preprocessing

    @property
    def rule(self) -> Preprocessing:
        """The preprocessing of a picture."""
        return self._preprocessing

    @property
    def views_per_frame(self) -> int:
        """Number of regions, plus one for the closer view of the whole."""
        return len(self.regions) + (self.views.closer_view > 0 and WHOLE in self.regions)

    @property
    def shapes(self) -> frozenset[tuple[int, int]]:
        """The shapes of regions and of glances."""
        sides = {self._preprocessing.side, self.views.glance_side} - {0}
        return frozenset((side, side) for side in sides)

    def of_frames(self, forward: ForwardPass, frames: Frames) -> FrameAnswers:
        """Return a network's output for each region."""
        side = self._preprocessing.side
        pictures = np.empty((len(frames), len(self.regions), side, side, 3), np.uint8)

        def preprocess(number: int) -> None:
            for which, region in enumerate(self.regions):
                pictures[number, which] = self._preprocessing.preprocess(
                    cut(frames[number], region)
                )

        on_all_cores(preprocess, range(len(frames)))
        return FrameAnswers(region_logits(forward, pictures, self.regions, self.labels, self.views))

    def of_pictures(self, forward: ForwardPass, pictures: NDArray[np.uint8]) -> NDArray[np.float32]:
        """Return the logits of pictures that are classified as wholes."""
        return whole_logits(forward, pictures, self.labels, self.views)

    def confidences(self, logits: NDArray[np.floating], temperature: float) -> NDArray[np.float64]:
        """Return confidences that add up to 1."""
        return softmax(logits / temperature)


class PlaceSight(Sight):
    """Prepares the input of a dense network, which scores each label independently.

    Args:
        labels: Names of the labels, in the order of the outputs.
        frame: The frame into which pictures are fitted.
    """

    regions = (WHOLE,)
    views_per_frame = 1

    def __init__(self, labels: Sequence[str], frame: WholeFrame) -> None:
        super().__init__(labels)
        self._frame = frame

    @property
    def rule(self) -> WholeFrame:
        """The preprocessing of a picture."""
        return self._frame

    @property
    def shapes(self) -> frozenset[tuple[int, int]]:
        """The shape of the frame."""
        return frozenset((self._frame.shape,))

    def of_frames(self, forward: ForwardPass, frames: Frames) -> FrameAnswers:
        """Return a network's output for whole frames, with positions."""
        pictures = np.empty((len(frames), *self._frame.shape, 3), np.uint8)

        def preprocess(number: int) -> None:
            pictures[number] = self._frame.preprocess(frames[number])

        on_all_cores(preprocess, range(len(frames)))
        places = most_likely_places(forward.logits(pictures))
        corners = np.empty(places.boxes.shape, np.float64)
        for number, frame in enumerate(frames):
            area = self._frame.area(*frame.shape[:2])
            corners[number] = as_shares(places.boxes[number], area)
        return FrameAnswers(places.logits[:, None], corners)

    def of_pictures(self, forward: ForwardPass, pictures: NDArray[np.uint8]) -> NDArray[np.float32]:
        """Return the logits of each label's most likely place."""
        return most_likely_places(forward.logits(pictures)).logits

    def confidences(self, logits: NDArray[np.floating], temperature: float) -> NDArray[np.float64]:
        """Return each label's confidence, independent of the others."""
        return sigmoid(np.asarray(logits) / temperature)


def sight_of(described: Manifest | Recipe, labels: Sequence[str]) -> Sight:
    """Return the Sight of a network.

    Args:
        described: The manifest of the network's version, or the recipe of its training.
        labels: Names of the labels, in the order of the network's outputs.

    Raises:
        ModelError: The preprocessing is unknown.
    """
    if described.is_dense:
        return PlaceSight(labels, whole_frame_named(described.preprocessing))
    regions = described.regions if isinstance(described, Manifest) else REGIONS
    preprocessing = preprocessing_named(described.preprocessing)
    return RegionSight(labels, regions, preprocessing, described.views)
