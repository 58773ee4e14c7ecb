"""The parts of frames that become stills, and the folders where a model would put them."""

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from exact.place import Place
from model.inference.classifier import FLOOR, Classifier
from model.labels import UNKNOWN
from model.pictures.regions import REGIONS, WHOLE, cut
from worker.parameters import RunParameters

CONFIDENT = 0.6
"""A still goes to a label's folder if its confidence exceeds this: the original set's figure."""

UNSURE = "_unsure"
"""Where the others go; `dataset build` passes folders over whose names begin so."""

BESIDE, ABOVE, BELOW = 0.5, 0.1, 0.4
"""By how much of its own width and height a place is widened: the medians, to one digit, of the
room that 6,533 stills of the original set leave around the box of whom they show. There, head and
shoulders are in."""

Pictures = Sequence[NDArray[np.uint8]]
"""Each (height, width, 3) RGB."""


@dataclass(frozen=True)
class Still:
    """A part of a frame."""

    part: str
    """Which: a region, or `around LABEL`."""
    picture: NDArray[np.uint8]
    folder: str
    """Where it belongs: a label, `unknown` or UNSURE."""
    said: str
    """By the model, of who is in it."""


def cut_regions(classifier: Classifier, frames: Pictures) -> list[list[Still]]:
    """Cuts frames as the original set was cut, and looks at each region on its own.

    Of a network for regions the likeliest label decides, be it `unknown`. Of a dense one, which
    answers for each label alone, the likeliest of somebody; where none reaches the model's floor,
    surely nobody known is in.

    Returns:
        For each frame its regions.
    """
    manifest = classifier.version.manifest
    regions = REGIONS if manifest.is_dense else manifest.regions
    parts = [[cut(frame, region) for region in regions] for frame in frames]
    if manifest.is_dense:
        # half a frame is just a picture for it
        flat = [picture for row in parts for picture in row]
        confidences = classifier.confidences(flat).reshape(len(frames), len(regions), -1)
        confidences[..., [label == UNKNOWN for label in manifest.labels]] = 0
    else:
        confidences = classifier.confidences(frames)
    stills = []
    for pictures, by_region in zip(parts, confidences, strict=True):
        row = []
        for region, picture, by_label in zip(regions, pictures, by_region, strict=True):
            label, confidence = manifest.labels[by_label.argmax()], float(by_label.max())
            folder = _folder(label, confidence)
            if manifest.is_dense and confidence < FLOOR:
                folder = UNKNOWN
            row.append(Still(region, picture, folder, f"{label} {confidence:.2f}"))
        stills.append(row)
    return stills


def cut_places(classifier: Classifier, frames: Pictures) -> list[list[Still]]:
    """Cuts out each label whose confidence reaches its offset, with room around its place.

    Args:
        classifier: Of a dense network.
        frames: Whole ones.

    Returns:
        For each frame its cuts; where no confidence reaches the model's floor, the whole of it, for
        `unknown`.
    """
    rules = RunParameters.for_model(classifier.version.manifest).rules
    stills = []
    for frame, predictions in zip(frames, classifier.classify(frames), strict=True):
        row = [
            Still(
                f"around {found.label}",
                cut_around(frame, found.place),
                _folder(found.label, found.confidence),
                f"{found.label} {found.confidence:.2f}",
            )
            for found in predictions
            if found.place is not None and found.confidence >= rules.thresholds(found.label)[1]
        ]
        if not predictions:
            row = [Still(WHOLE, frame, UNKNOWN, f"nobody as sure as {FLOOR:.2f}")]
        stills.append(row)
    return stills


def cut_around(picture: NDArray[np.uint8], place: Place) -> NDArray[np.uint8]:
    """Gives a place with the room around it that BESIDE, ABOVE and BELOW tell, as a view."""
    height, width = picture.shape[:2]
    columns = _span(place.x, place.width, BESIDE, BESIDE, width)
    return picture[_span(place.y, place.height, ABOVE, BELOW, height), columns]


def _span(centre: float, extent: float, before: float, after: float, pixels: int) -> slice:
    """Gives a widened extent in pixels, one at least."""
    first = min(max(0, round((centre - (0.5 + before) * extent) * pixels)), pixels - 1)
    last = round((centre + (0.5 + after) * extent) * pixels)
    return slice(first, min(max(last, first + 1), pixels))


def _folder(label: str, confidence: float) -> str:
    return label if confidence > CONFIDENT else UNSURE
