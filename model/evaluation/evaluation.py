"""A recogniser shown one part of a dataset, in memory that does not grow with it."""

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
from model.evaluation.answers import STRANGER, Answers, worst_mistakes
from model.inference.classifier import BATCH_SIZE, Classifier
from model.inference.sight import sight_of
from model.labels import UNKNOWN
from model.pictures.files import read_picture
from model.pictures.preprocess import Preprocessing, WholeFrame

MISTAKES_KEPT: Final = 36
"""Six rows of six: what fits a screen."""


@dataclass(frozen=True)
class Recogniser:
    """What is evaluated: a classifier, or a network on its way to be one."""

    labels: tuple[str, ...]
    """Of its outputs, in their order."""
    preprocessing: Preprocessing | WholeFrame
    confidences_of_pictures: Callable[[NDArray[np.uint8]], NDArray[np.float64]]
    """Of pictures (n, height, width, 3) returns (n, labels), calibrated."""

    @classmethod
    def of(cls, classifier: Classifier) -> Self:
        """Return what a classifier is evaluated by."""
        manifest = classifier.version.manifest
        return cls(
            manifest.labels,
            sight_of(manifest, manifest.labels).rule,
            classifier.confidences_of_pictures,
        )


@dataclass(frozen=True)
class Mistake:
    """A still that was taken for something else."""

    picture: NDArray[np.uint8]
    """(height, width, 3) as the network saw it."""
    truth: str
    answer: str
    confidence: float
    """Of the answer."""
    source: str
    """The file that the still came from."""


def answer_part(recogniser: Recogniser, dataset: Dataset, part: str) -> Answers:
    """Let a recogniser answer every still of a part, whole (as the region `full`), as written.

    Args:
        recogniser: which.
        dataset: its labels are the recogniser's, or some of them.
        part: train, validation or test.

    Raises:
        DatasetError: it has labels that the recogniser lacks, the part shows nobody known, or a
            shard is damaged.
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
    return Answers(
        recogniser.labels,
        np.array(truth, np.int64),
        np.concatenate(confidences),
        _shown(label_sets, recogniser.labels),
    )


def _shown(label_sets: list[NDArray[np.int64]], labels: tuple[str, ...]) -> NDArray[np.bool_]:
    """Return (stills, labels), whom each still shows; strangers beside somebody are nobody."""
    shown = np.zeros((len(label_sets), len(labels)), np.bool_)
    for row, numbers in zip(shown, label_sets, strict=True):
        row[numbers[numbers != STRANGER]] = True
    return shown & [label != UNKNOWN for label in labels]


def show_mistakes(
    answers: Answers,
    dataset: Dataset,
    part: str,
    preprocessing: Preprocessing | WholeFrame,
    count: int = MISTAKES_KEPT,
) -> tuple[Mistake, ...]:
    """Return the mistakes that were made with most confidence, the worst first.

    Only their pictures are decoded, so nothing is kept while the answers are given.

    Args:
        answers: what `answer_part` returned for this dataset and part.
        dataset: which.
        part: train, validation or test.
        preprocessing: of the recogniser that gave the answers.
        count: how many at most.
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
    """Return a recogniser's label numbers by those of a dataset.

    Raises:
        DatasetError: a label is none of the recogniser's, or the part shows nobody known.
    """
    manifest = dataset.manifest
    strange = [label for label in manifest.labels if label not in (*labels, UNKNOWN)]
    if strange:
        known = ",".join(label for label in labels if label != UNKNOWN)
        raise DatasetError(
            f"{dataset.folder}: the model knows no {', '.join(strange)}; "
            f"build the dataset with --labels {known}"
        )
    if not manifest.shows_somebody(part):
        raise DatasetError(
            f"{dataset.folder}: {part} shows nobody whom the model knows; "
            "build the dataset of more stills"
        )
    numbers = [labels.index(label) if label in labels else STRANGER for label in manifest.labels]
    return np.array(numbers, np.int64)


def _records_at(dataset: Dataset, part: str, indices: NDArray[np.int64]) -> list[Record]:
    """Return the records at these places of the order in which a part was written."""
    wanted = set(indices.tolist())
    records = enumerate(read_part(dataset.shard_paths(part)))
    found = {index: record for index, record in records if index in wanted}
    return [found[index] for index in indices.tolist()]
