"""Cut frames into stills, and choose the folder for each by a model."""

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from exact.place import Place
from model.inference.classifier import FLOOR, Classifier
from model.labels import UNKNOWN
from model.pictures.regions import REGIONS, WHOLE, cut
from timeline.appearances.rules import Rules

CONFIDENT = 0.6
"""A still goes to a label's folder if its confidence exceeds this: the value of the original
set."""

UNSURE = "_unsure"
"""The folder for the others; `dataset build` ignores folders with this prefix."""

BESIDE, ABOVE, BELOW = 0.5, 0.1, 0.4
"""Margins around a place, as shares of its own width and height: the medians, to one digit, of the
margins that 6,533 stills of the original set leave around the box of their character. They include
head and shoulders."""

Pictures = Sequence[NDArray[np.uint8]]
"""Pictures of shape (height, width, 3), RGB."""


@dataclass(frozen=True)
class Still:
    """A part of a frame."""

    part: str
    """Name of the part: a region, or `around LABEL`."""
    picture: NDArray[np.uint8]
    folder: str
    """Destination: a label, `unknown` or UNSURE."""
    said: str
    """The model's prediction in words."""


def cut_regions(classifier: Classifier, frames: Pictures) -> list[list[Still]]:
    """Cut frames like the original set, and classify each region separately.

    With a network for regions the most confident label decides, even `unknown`. With a dense
    network, which scores each label independently, the most confident known label decides; if none
    reaches the model's floor, the still certainly shows no known character.

    Args:
        classifier: The classifier.
        frames: Whole frames.

    Returns:
        The regions of each frame.
    """
    manifest = classifier.version.manifest
    regions = REGIONS if manifest.is_dense else manifest.regions
    parts = [[cut(frame, region) for region in regions] for frame in frames]
    if manifest.is_dense:
        # a dense network treats half a frame as an ordinary picture
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


def cut_places(classifier: Classifier, frames: Pictures, rules: Rules) -> list[list[Still]]:
    """Crop each label whose confidence reaches its offset, with margins around its place.

    Args:
        classifier: A classifier with a dense network.
        frames: Whole frames.
        rules: The thresholds in use.

    Returns:
        The crops of each frame; if no confidence reaches the model's floor, the whole frame, for
        `unknown`.
    """
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
    """Return a view of a place with the margins BESIDE, ABOVE and BELOW."""
    height, width = picture.shape[:2]
    columns = _span(place.x, place.width, BESIDE, BESIDE, width)
    return picture[_span(place.y, place.height, ABOVE, BELOW, height), columns]


def _span(centre: float, extent: float, before: float, after: float, pixels: int) -> slice:
    """Return a widened extent in pixels, at least one."""
    first = min(max(0, round((centre - (0.5 + before) * extent) * pixels)), pixels - 1)
    last = round((centre + (0.5 + after) * extent) * pixels)
    return slice(first, min(max(last, first + 1), pixels))


def _folder(label: str, confidence: float) -> str:
    return label if confidence > CONFIDENT else UNSURE
