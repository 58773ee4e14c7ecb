"""A recogniser shown a dataset: every still once, each mistake with its picture and its file."""

import csv
from collections.abc import Mapping
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
from numpy.typing import NDArray
from PIL import Image

from model.dataset.build import build_dataset
from model.dataset.folder import Dataset
from model.dataset.plan import BuildOptions
from model.errors import DatasetError
from model.evaluation.predictions import STRANGER
from model.evaluation.recogniser import Recogniser, predict_part, show_mistakes
from model.inference.classifier import BATCH_SIZE, Classifier
from model.inference.device import Device
from model.pictures.preprocess import TASK
from model.stills.choice import Choice
from tests.stills.models import LABELS, write_model_by_lot
from tests.stills.still_folders import write_stills

pytestmark = pytest.mark.integration

COUNTS = {"apple": 100, "birch": 60, "zebra": 40}
"""The model of `tests.stills.models` knows the first two; the third is kept as unknown."""


@pytest.fixture(scope="module")
def stills(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return write_stills(tmp_path_factory.mktemp("evaluation") / "stills", COUNTS)


@pytest.fixture(scope="module")
def dataset(stills: Path) -> Dataset:
    options = BuildOptions(Choice(("apple", "birch")), shards=3)
    return build_dataset([stills], stills.parent / "dataset", options)


def pictures_by_file(stills: Path) -> Mapping[str, NDArray[np.uint8]]:
    """What a network of the task's preprocessing sees of each still, read without the dataset."""
    return {
        path.relative_to(stills).as_posix(): TASK.preprocess(np.asarray(Image.open(path)))
        for path in sorted(stills.glob("*/*.png"))
    }


def sources(dataset: Dataset, part: str) -> list[str]:
    """The files of a part's stills."""
    with (dataset.folder / "stills.csv").open(newline="") as file:
        return [row["source"] for row in csv.DictReader(file) if row["part"] == part]


class Rememberer:
    """A recogniser that knows every still by heart, and says what it was told to say."""

    def __init__(self, stills: Path, labels: tuple[str, ...], lies: Mapping[str, float]) -> None:
        self.labels = labels
        self.batch_sizes: list[int] = []
        self._lies = lies
        self._files = {seen.tobytes(): name for name, seen in pictures_by_file(stills).items()}

    def recogniser(self) -> Recogniser:
        return Recogniser(self.labels, TASK, self.confidences)

    def confidences(self, pictures: NDArray[np.uint8]) -> NDArray[np.float64]:
        self.batch_sizes.append(len(pictures))
        confidences = np.zeros((len(pictures), len(self.labels)))
        for row, picture in enumerate(pictures):
            name = self._files[picture.tobytes()]
            label = name.split("/")[0]
            said = self.labels.index(label) if label in self.labels else len(self.labels) - 1
            sure = self._lies.get(name, 1.0)
            if name in self._lies:
                said = 0 if said else 1
            confidences[row, said] = sure
            confidences[row, (said + 2) % len(self.labels)] += 1 - sure
        return confidences


@pytest.mark.parametrize("labels", [("birch", "maple", "apple"), ("birch", "apple", "unknown")])
def test_every_still_is_answered_once_under_the_recognisers_own_numbers(
    dataset: Dataset, stills: Path, labels: tuple[str, ...]
) -> None:
    rememberer = Rememberer(stills, labels, {})
    answers = predict_part(rememberer.recogniser(), dataset, "train")
    counts = dict(zip(dataset.manifest.labels, dataset.manifest.counts["train"], strict=True))
    unknown = labels.index("unknown") if "unknown" in labels else STRANGER
    assert {number: int((answers.truth == number).sum()) for number in set(answers.truth)} == {
        labels.index("apple"): counts["apple"],
        labels.index("birch"): counts["birch"],
        unknown: counts["unknown"],
    }
    assert answers.accuracy == 1.0
    total = sum(counts.values())
    assert total > BATCH_SIZE >= max(rememberer.batch_sizes)  # never the whole part
    assert sum(rememberer.batch_sizes) == total


def test_mistakes_come_worst_first_with_the_picture_and_the_file_of_each(
    dataset: Dataset, stills: Path
) -> None:
    in_train = [source.removeprefix("stills/") for source in sources(dataset, "train")]
    apples = [name for name in in_train if name.startswith("apple")]
    zebra = next(name for name in in_train if name.startswith("zebra"))
    lies = {apples[0]: 0.6, apples[-1]: 0.9, zebra: 0.7, apples[3]: 0.55}
    rememberer = Rememberer(stills, ("apple", "birch", "unknown"), lies)
    answers = predict_part(rememberer.recogniser(), dataset, "train")
    found = show_mistakes(answers, dataset, "train", TASK, count=3)
    assert [(each.source, each.truth, each.answer) for each in found] == [
        (f"stills/{apples[-1]}", "apple", "birch"),
        (f"stills/{zebra}", "unknown", "apple"),
        (f"stills/{apples[0]}", "apple", "birch"),
    ]
    assert [each.confidence for each in found] == [0.9, 0.7, 0.6]
    seen = pictures_by_file(stills)
    for mistake in found:
        np.testing.assert_array_equal(mistake.picture, seen[mistake.source.removeprefix("stills/")])


def test_a_classifier_answers_as_it_would_for_the_full_region_of_a_frame(
    dataset: Dataset, stills: Path, tmp_path: Path
) -> None:
    classifier = Classifier.load(write_model_by_lot(tmp_path), device=Device.CPU)
    answers = predict_part(Recogniser.of(classifier), dataset, "test")
    frames = [np.asarray(Image.open(stills.parent / source)) for source in sources(dataset, "test")]
    full = classifier.confidences(frames)[:, 0]
    assert answers.labels == LABELS
    assert (answers.truth == STRANGER).sum() == 4  # a tenth of the zebras
    distances = np.abs(answers.confidences[:, None] - full).max(axis=2)
    nearest = distances.argmin(axis=1)  # the shards have an order of their own
    assert sorted(nearest) == list(range(len(frames)))
    assert distances.min(axis=1).max() < 1e-3


def test_labels_that_the_recogniser_lacks_are_refused_by_name(
    dataset: Dataset, stills: Path
) -> None:
    recogniser = Rememberer(stills, ("birch", "cedar", "unknown"), {}).recogniser()
    with pytest.raises(DatasetError, match=r"does not know apple; .* --labels birch,cedar$"):
        predict_part(recogniser, dataset, "test")


def test_a_part_that_shows_nobody_known_is_refused(dataset: Dataset, stills: Path) -> None:
    counts = {**dataset.manifest.counts, "test": (0, 0, sum(dataset.manifest.counts["test"]))}
    of_others = replace(dataset, manifest=replace(dataset.manifest, counts=counts))
    recogniser = Rememberer(stills, ("apple", "birch"), {}).recogniser()
    with pytest.raises(DatasetError, match="test shows no character that"):
        predict_part(recogniser, of_others, "test")
