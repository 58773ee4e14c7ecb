"""Find boxes of a dataset that lie far from where a model detects their label."""

import itertools
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import Final

from exact.place import Place
from model.dataset.folder import Dataset
from model.dataset.shards import Record, read_part
from model.dataset.split import PARTS
from model.inference.classifier import Classifier, Prediction
from model.labels import UNKNOWN
from model.pictures.boxes import Box
from model.pictures.files import read_picture
from model.progress import Progress

_SURE: Final = 0.5
"""Calibrated confidence from which the label is more likely present than not."""


@dataclass(frozen=True)
class DoubtfulBox:
    """A box, and the other position where its label was detected."""

    part: str
    """train, validation or test."""
    source: str
    """The file of the picture."""
    box: Box
    """The annotated box."""
    seen: Place
    """The position where the model detects the label."""
    confidence: float
    """Confidence of the detection."""


def doubtful_boxes(
    classifier: Classifier, dataset: Dataset, on_progress: Progress
) -> tuple[DoubtfulBox, ...]:
    """Return the boxes whose label a model detects elsewhere, most confident first.

    Elsewhere means that neither centre lies in the other's box. A model that was trained on these
    boxes doubts fewer of them.

    Args:
        classifier: A classifier whose network predicts positions.
        dataset: A dataset whose stills have boxes.
        on_progress: Called while it works.

    Raises:
        DatasetError: A shard is damaged.
    """
    dataset.check_shards()
    total = sum(sum(dataset.manifest.counts[part]) for part in PARTS)
    records = (record for part in PARTS for record in read_part(dataset.shard_paths(part)))
    doubtful: list[DoubtfulBox] = []
    done = 0
    while some := list(itertools.islice(records, classifier.frames_per_batch)):
        boxed = [record for record in some if record.boxes]
        answers = classifier.classify([read_picture(record.png) for record in boxed])
        for record, predictions in zip(boxed, answers, strict=True):
            doubtful += _doubtful(record, predictions)
        done += len(some)
        on_progress("Looking at stills", done, total)
    return tuple(sorted(doubtful, key=lambda each: (-each.confidence, each.source)))


def _doubtful(record: Record, predictions: Sequence[Prediction]) -> Iterator[DoubtfulBox]:
    seen = {each.label: each for each in predictions if each.confidence >= _SURE}
    for box in record.boxes:
        prediction = seen.get(box.label)
        if box.label == UNKNOWN or prediction is None or prediction.place is None:
            continue
        own = [other for other in record.boxes if other.label == box.label]
        if not any(_is_same(other, prediction.place) for other in own):
            yield DoubtfulBox(
                record.part, record.source, box, prediction.place, prediction.confidence
            )


def _is_same(box: Box, place: Place) -> bool:
    centre_x, centre_y = (box.left + box.right) / 2, (box.top + box.bottom) / 2
    return _holds(place.corners, centre_x, centre_y) or _holds(box.corners, place.x, place.y)


def _holds(corners: tuple[float, float, float, float], x: float, y: float) -> bool:
    left, top, right, bottom = corners
    return left <= x <= right and top <= y <= bottom
