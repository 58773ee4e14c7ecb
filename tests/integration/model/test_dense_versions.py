"""From a dataset to a dense model version, all the way, and on from there."""

import json
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest

from model.dataset.build import build_dataset
from model.dataset.folder import Dataset
from model.dataset.plan import BuildOptions
from model.errors import TrainingError
from model.inference.classifier import Classifier
from model.inference.device import Device
from model.recipe_changes import with_epochs
from model.training.plan import TrainingPlan
from model.version.artifact import ModelVersion, read_model_version
from model.version.weights import read_weights
from model.versions import train_model_version
from tests.stills.still_folders import write_stills
from tests.stills.tiny_dense import TINY_DENSE
from tests.stills.trained_shapes import TrainedShapes
from tests.video.drawn_shapes import SHAPES, draw, write_shapes

pytestmark = [pytest.mark.integration, pytest.mark.usefixtures("compiles_here")]

ONE_EPOCH = replace(with_epochs(TINY_DENSE, 1), corrected_after=())


@pytest.fixture(scope="module")
def dataset(tmp_path_factory: pytest.TempPathFactory) -> Dataset:
    folder = tmp_path_factory.mktemp("dense")
    stills = write_shapes(folder / "stills", 20)
    strangers = write_stills(folder / "strangers", {"unknown": 20})
    return build_dataset([stills, strangers], folder / "dataset", BuildOptions(shards=1))


@pytest.fixture(scope="module")
def version(dataset: Dataset) -> ModelVersion:
    return train_model_version(
        TrainingPlan(dataset, "dense", "1", ONE_EPOCH),
        dataset.folder.parent / "dense-1",
        work_folder=dataset.folder.parent / "work",
    )


def test_dense_version_says_what_it_is(version: ModelVersion) -> None:
    manifest = version.manifest
    assert (manifest.network, manifest.labels) == ("dense", SHAPES)
    assert (manifest.regions, manifest.preprocessing) == (("full",), "fit256x192")
    assert (manifest.loss, manifest.closer_view, manifest.glance_side) == ("places", 0, 0)
    assert 0 < manifest.offset <= manifest.onset < 1
    metrics = manifest.metrics
    assert metrics["stills_test"] == 8  # a tenth of each label's
    assert 0 <= metrics["int8_agreement"] <= 1
    assert "unknown_auroc" in metrics
    assert read_model_version(version.folder) == version


def test_report_counts_strangers_among_what_was_shown(version: ModelVersion) -> None:
    told = json.loads((version.folder / "report" / "report.json").read_text())
    shown = told["shown_per_epoch"]
    # 20 less 2 to test and 4 to validate; of strangers 14 % of all that an epoch shows
    assert shown == {**dict.fromkeys(SHAPES, 14), "unknown": 7}
    card = (version.folder / "report" / "model_card.md").read_text()
    assert "whole frames, each seen once" in card
    assert "groups of up to six, whole frames, and unknown characters" in card
    assert "softmax" not in card


def test_what_was_tested_is_what_classifies(version: ModelVersion, dataset: Dataset) -> None:
    frames = [draw(SHAPES[number % 3], number, 160, 90) for number in range(5)]
    classifier = Classifier.load(version, device=Device.CPU)
    assert classifier.confidences(frames).shape == (5, 1, 3)
    for predictions in classifier.classify(frames):
        assert all(each.place is not None for each in predictions)


def test_no_epochs_keep_a_dense_version_but_for_a_shift_though_strangers_are_no_output(
    version: ModelVersion, dataset: Dataset, tmp_path: Path
) -> None:
    made = train_model_version(
        TrainingPlan(
            dataset, "dense", "2", replace(with_epochs(ONE_EPOCH, 0), seed=3), start=version
        ),
        tmp_path / "dense-2",
        work_folder=tmp_path / "work",
    )
    before, after = (
        read_weights(one, {name: values.shape for name, values in _raw(one).items()})
        for one in (version, made)
    )
    changed = {name for name in before if not np.array_equal(before[name], after[name])}
    assert changed <= {"logits/bias"}


def _raw(version: ModelVersion) -> dict[str, np.ndarray]:
    from safetensors.numpy import load_file

    return dict(load_file(version.weights_path))


def test_no_epochs_do_not_make_a_dense_network_of_another(
    trained: TrainedShapes, dataset: Dataset, tmp_path: Path
) -> None:
    with pytest.raises(TrainingError, match="0 epochs: shapes@1 is not a dense network"):
        train_model_version(
            TrainingPlan(dataset, "dense", "2", with_epochs(ONE_EPOCH, 0), start=trained.version),
            tmp_path / "dense-2",
            work_folder=tmp_path / "work",
        )
    assert not list(tmp_path.iterdir())


def test_dense_recipe_learns_from_no_teacher(
    version: ModelVersion, dataset: Dataset, tmp_path: Path
) -> None:
    with pytest.raises(TrainingError, match="uses no teacher; choose regional or large"):
        train_model_version(
            TrainingPlan(dataset, "dense", "2", ONE_EPOCH, teachers=(version,)),
            tmp_path / "dense-2",
            work_folder=tmp_path / "work",
        )
