"""Classify frames: regions, preprocessing, one forward pass per batch, calibrated confidences."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Final, Self

import numpy as np
from numpy.typing import NDArray

from exact.place import Place
from model.errors import DeviceError, ModelError
from model.inference.compiling import compiled
from model.inference.cpu_forward import CpuForwardPass
from model.inference.device import Device
from model.inference.forward import ForwardPass
from model.inference.gpu_forward import GpuForwardPass
from model.inference.sight import sight_of
from model.inference.tensorflow_runtime import CPU, choose_device, load_tensorflow
from model.labels import UNKNOWN
from model.networks.named import network_of
from model.version.artifact import ModelVersion

FLOOR: Final = 0.05
"""Predictions below this confidence are not returned. It is low, so that thresholds can change
later without inference, yet it saves nine rows in ten: a wrong label mostly has less than 0.01."""

BATCH_SIZE: Final = 64
"""Pictures per forward pass: 16 frames with three regions each, of which the whole is seen twice.
On 2 cores, the bundled model is no faster with twice as many."""


@dataclass(frozen=True)
class Prediction:
    """A label on a frame, in the region where it is most likely."""

    label: str
    region: str
    """Name of the region, one of `model.pictures.regions.REGIONS`."""
    confidence: float
    """Calibrated, 0 to 1."""
    place: Place | None = None
    """Position in the active picture; None if the network predicts no positions."""

    def __post_init__(self) -> None:
        if not 0 <= self.confidence <= 1:
            raise ModelError(f"confidence {self.confidence!r} of {self.label} is not in 0..1")


class Classifier:
    """A network with its labels, preprocessing, regions and temperature; made by `load`."""

    def __init__(self, version: ModelVersion, forward: ForwardPass) -> None:
        self.version = version
        self._forward = forward
        self._sight = sight_of(version.manifest, version.manifest.labels)
        self._known = np.array([label != UNKNOWN for label in version.manifest.labels])

    @classmethod
    def load(
        cls, version: ModelVersion, *, device: Device = Device.AUTO, batch_size: int = BATCH_SIZE
    ) -> Self:
        """Load a model version's network for inference.

        On a CPU this takes some seconds the first time, and then less than one: see
        `model.inference.compiling`.

        Args:
            version: The model version.
            device: `cpu`, `gpu`, or `auto` for a GPU if there is one.
            batch_size: Pictures per forward pass. Results of different sizes agree within 0.001; on
                a GPU, except where a glance is decisive at one size only.

        Raises:
            ArtifactError: The weights are damaged or do not fit.
            DeviceError: There is no such device, or the batch does not fit into its memory.
            ModelError: The manifest's network is unknown or its parameters are not allowed.
        """
        if batch_size < 1:
            raise ModelError(f"batch_size {batch_size} is too small: give 1 or more")
        place = choose_device(device)
        if place == CPU:
            return cls(version, CpuForwardPass(compiled(version), batch_size))
        tensorflow = load_tensorflow()
        try:
            with tensorflow.device(place):
                shapes = sight_of(version.manifest, version.manifest.labels).shapes
                forward = GpuForwardPass(network_of(version), shapes, batch_size, place)
        except tensorflow.errors.ResourceExhaustedError as error:
            raise DeviceError(
                f"{place}: out of memory for batches of {batch_size} pictures; "
                "give a smaller batch_size"
            ) from error
        return cls(version, forward)

    @property
    def labels(self) -> tuple[str, ...]:
        """The labels that predictions may have; never `unknown`."""
        labels = self.version.manifest.labels
        return tuple(label for label in labels if label != UNKNOWN)

    @property
    def views_per_frame(self) -> int:
        """Number of pictures that the network sees per frame."""
        return self._sight.views_per_frame

    @property
    def frames_per_batch(self) -> int:
        """Number of frames that fill one forward pass."""
        return max(1, self._forward.batch_size // self.views_per_frame)

    def batch_fill(self, frames: int) -> float:
        """Return the fill of the batches that this number of frames needs at first look, 0 to 1."""
        pictures = frames * self.views_per_frame
        size = self._forward.batch_size
        return pictures / (-(-pictures // size) * size) if pictures else 0.0

    def classify(self, frames: Sequence[NDArray[np.uint8]]) -> list[tuple[Prediction, ...]]:
        """Predict the labels of each frame.

        Args:
            frames: The active pictures, each (height, width, 3) RGB of any size.

        Returns:
            For each frame its predictions, most likely first: one for each label whose confidence
            reaches FLOOR in any region, with its best region, and its position if the network
            predicts it. None is for `unknown`.

        Raises:
            ModelError: A frame is not an RGB picture, or an output is not finite.
        """
        answers = self._sight.of_frames(self._forward, frames)
        by_region = self._calibrated(answers.logits)
        best_regions = by_region.argmax(axis=1)
        best = by_region.max(axis=1)
        best[:, ~self._known] = 0
        corners = [None] * len(frames) if answers.corners is None else answers.corners
        return [self._predictions(*row) for row in zip(best, best_regions, corners, strict=True)]

    def confidences(self, frames: Sequence[NDArray[np.uint8]]) -> NDArray[np.float64]:
        """Return the confidence of each label in each region of each frame.

        Args:
            frames: The active pictures, each (height, width, 3) RGB of any size.

        Returns:
            (frames, regions, labels), calibrated, in the order of the manifest's regions and
            labels; for a regional network they sum to 1 in each region.

        Raises:
            ModelError: A frame is not an RGB picture, or an output is not finite.
        """
        return self._calibrated(self._sight.of_frames(self._forward, frames).logits)

    def confidences_of_pictures(self, pictures: NDArray[np.uint8]) -> NDArray[np.float64]:
        """Return the confidence of each label in each picture, classified as a whole like a still.

        Args:
            pictures: (n, height, width, 3), preprocessed as the manifest says.

        Returns:
            (n, labels), calibrated; for a regional network each row sums to 1.
        """
        return self._calibrated(self._sight.of_pictures(self._forward, pictures))

    def _calibrated(self, logits: NDArray[np.float32]) -> NDArray[np.float64]:
        if not np.isfinite(logits).all():  # even finite weights may be too large
            raise ModelError(
                f"{self.version.manifest.reference}: the network's outputs are not"
                " finite; train another version"
            )
        return self._sight.confidences(logits, self.version.manifest.temperature)

    def _predictions(
        self,
        confidences: NDArray[np.float64],
        regions: NDArray[np.intp],
        corners: NDArray[np.float64] | None,
    ) -> tuple[Prediction, ...]:
        """Return one frame's predictions from each label's best confidence, region and box."""
        order = np.argsort(-confidences, kind="stable")
        return tuple(
            Prediction(
                self.version.manifest.labels[number],
                self._sight.regions[regions[number]],
                float(confidences[number]),
                None if corners is None else _place_between(corners[number]),
            )
            for number in order[confidences[order] >= FLOOR]
        )


def _place_between(corners: NDArray[np.float64]) -> Place:
    try:
        return Place.between(corners)
    except ValueError as error:
        raise ModelError(f"the network's output is not a place: {error}") from error
