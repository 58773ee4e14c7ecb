"""Run a classifier on one part of a dataset, in memory that does not grow with it."""

import itertools
from collections.abc import Callable
from dataclasses import dataclass
from typing import Final, Self

import numpy as np
from numpy.typing import NDArray

from model.dataset.folder import Dataset
from model.dataset.reading import stream_stills
from model.dataset.shards import Record, read_part
from model.errors import DatasetError
from model.evaluation.predictions import STRANGER, Predictions, worst_mistakes
from model.inference.classifier import BATCH_SIZE, Classifier
from model.inference.sight import sight_of
from model.labels import UNKNOWN
from model.pictures.files import read_picture
from model.pictures.preprocess import Preprocessing, WholeFrame

MISTAKES_KEPT: Final = 36
"""Six rows of six, which fit a screen."""


@dataclass(frozen=True)
class Recogniser:
    """The interface to evaluate a classifier, or a network before it is one."""

    labels: tuple[str, ...]
    """Labels of the outputs, in their order."""
    preprocessing: Preprocessing | WholeFrame
    """The preprocessing of a picture."""
    confidences_of_pictures: Callable[[NDArray[np.uint8]], NDArray[np.float64]]
    """Maps pictures (n, height, width, 3) to calibrated confidences (n, labels)."""

    @classmethod
    def of(cls, classifier: Classifier) -> Self:
        """Return the interface of a classifier."""
        manifest = classifier.version.manifest
        return cls(
            manifest.labels,
            sight_of(manifest, manifest.labels).rule,
            classifier.confidences_of_pictures,
        )


@dataclass(frozen=True)
class Mistake:
    """A misclassified still."""

    picture: NDArray[np.uint8]
    """(height, width, 3) as the network saw it."""
    truth: str
    """The correct label."""
    answer: str
    """The predicted label."""
    confidence: float
    """Confidence of the prediction."""
    source: str
    """The file that the still came from."""


def predict_part(recogniser: Recogniser, dataset: Dataset, part: str) -> Predictions:
    """Classify every still of a part as a whole (region `full`), in the order written.

    Args:
        recogniser: The classifier to evaluate.
        dataset: A dataset whose labels the classifier knows.
        part: train, validation or test.

    Raises:
        DatasetError: The dataset has labels that the classifier lacks, the part shows no known
            character, or a shard is damaged.
    """
    numbers = _numbers_of(dataset, part, recogniser.labels)
    fit = recogniser.preprocessing.preprocess
    stills = stream_stills(dataset, part, fit)
    truth, label_sets, confidences = [], [], []
    while some := list(itertools.islice(stills, BATCH_SIZE)):
        truth += [numbers[shown.label_number] for _, shown in some]
        label_sets += [numbers[list(shown.label_set)] for _, shown in some]
        pictures = np.stack([picture for picture, _ in some])
        confidences.append(recogniser.confidences_of_pictures(pictures))
    return Predictions(
        recogniser.labels,
        np.array(truth, np.int64),
        np.concatenate(confidences),
        _shown(label_sets, recogniser.labels),
    )


def _shown(label_sets: list[NDArray[np.int64]], labels: tuple[str, ...]) -> NDArray[np.bool_]:
    """Return (stills, labels), which known labels each still shows."""
    shown = np.zeros((len(label_sets), len(labels)), np.bool_)
    for row, numbers in zip(shown, label_sets, strict=True):
        row[numbers[numbers != STRANGER]] = True
    return shown & [label != UNKNOWN for label in labels]


def show_mistakes(
    answers: Predictions,
    dataset: Dataset,
    part: str,
    preprocessing: Preprocessing | WholeFrame,
    count: int = MISTAKES_KEPT,
) -> tuple[Mistake, ...]:
    """Return the most confident mistakes, worst first.

    Only their pictures are decoded, so that classification itself keeps none.

    Args:
        answers: The predictions that `predict_part` returned for this dataset and part.
        dataset: The dataset.
        part: train, validation or test.
        preprocessing: The preprocessing of the classifier.
        count: The most mistakes to return.
    """
    worst = worst_mistakes(answers, count)
    records = _records_at(dataset, part, worst)
    said, confidences = answers.answers, answers.confidences
    return tuple(
        Mistake(
            preprocessing.preprocess(read_picture(record.png)).copy(),
            answers.labels[answers.truth[index]],
            answers.labels[said[index]],
            float(confidences[index, said[index]]),
            record.source,
        )
        for index, record in zip(worst, records, strict=True)
    )


def _numbers_of(dataset: Dataset, part: str, labels: tuple[str, ...]) -> NDArray[np.int64]:
    """Map the label numbers of a dataset to those of a classifier.

    Raises:
        DatasetError: The classifier lacks a label, or the part shows no known character.
    """
    manifest = dataset.manifest
    strange = [label for label in manifest.labels if label not in (*labels, UNKNOWN)]
    if strange:
        known = ",".join(label for label in labels if label != UNKNOWN)
        raise DatasetError(
            f"{dataset.folder}: the model does not know {', '.join(strange)}; "
            f"build the dataset with --labels {known}"
        )
    if not manifest.shows_somebody(part):
        raise DatasetError(
            f"{dataset.folder}: {part} shows no character that the model knows; "
            "build the dataset from more stills"
        )
    numbers = [labels.index(label) if label in labels else STRANGER for label in manifest.labels]
    return np.array(numbers, np.int64)


def _records_at(dataset: Dataset, part: str, indices: NDArray[np.int64]) -> list[Record]:
    """Return the records at these positions in the order in which a part was written."""
    wanted = set(indices.tolist())
    records = enumerate(read_part(dataset.shard_paths(part)))
    found = {index: record for index, record in records if index in wanted}
    return [found[index] for index in indices.tolist()]
