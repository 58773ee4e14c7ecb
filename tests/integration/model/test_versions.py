"""From a dataset to a model version: what is written is what was trained and tested."""

import csv
import json
import shutil
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
from PIL import Image

from model.dataset.build import build_dataset
from model.dataset.folder import Dataset, open_dataset
from model.dataset.plan import BuildOptions
from model.errors import ArtifactError, DatasetError, TrainingError
from model.inference.classifier import Classifier
from model.inference.device import Device
from model.inference.tensorflow_runtime import load_tensorflow
from model.pictures.preprocess import TASK
from model.recipe import BASELINE, REGIONAL
from model.recipe_changes import with_epochs, with_network_of
from model.training.folder import alone_at_work
from model.training.history import Epoch
from model.training.plan import TrainingPlan
from model.version.artifact import ModelVersion, next_version, read_model_version
from model.version.provenance import Provenance
from model.version.weights import rounded
from model.versions import train_model_version
from tests.stills.models import write_model_by_lot
from tests.stills.still_folders import write_stills
from tests.stills.trained_shapes import RECIPE, TrainedShapes
from tests.video.drawn_shapes import SHAPES

pytestmark = [pytest.mark.integration, pytest.mark.usefixtures("compiles_here")]


def test_tiny_training_learns_shapes_and_reports_each_epoch(trained: TrainedShapes) -> None:
    manifest = trained.version.manifest
    assert manifest.labels == SHAPES
    assert manifest.metrics["accuracy"] >= 0.75  # a third by chance, of 18 stills
    assert manifest.metrics["stills_test"] == 18
    assert 0.5 < manifest.metrics["rehearsal_micro_f1"] <= 1
    assert [len(history) for history in trained.histories] == list(range(1, 13))
    history = trained.histories[-1]
    assert history[-1].loss < history[0].loss / 2
    assert read_model_version(trained.version.folder) == trained.version


def test_steps_are_told_from_start_to_end(trained: TrainedShapes) -> None:
    names = list(dict.fromkeys(name for name, _, _ in trained.steps))
    assert names == ["Unpacking stills", "Training", "Choosing thresholds", "Testing"]
    for name in names:
        last = [step for step in trained.steps if step[0] == name][-1]
        assert last[1] == last[2]


def test_classifier_gives_the_answers_that_the_manifest_counts(trained: TrainedShapes) -> None:
    """On the test stills as TensorFlow alone reads them from the shards."""
    tensorflow = load_tensorflow()
    truth, seen = [], []
    for path in sorted((trained.dataset.folder / "shards").glob("test-*.tfrecord")):
        for record in tensorflow.data.TFRecordDataset(str(path)).as_numpy_iterator():
            features = tensorflow.train.Example.FromString(record).features.feature
            truth.append(features["name"].bytes_list.value[0].decode())
            png = features["image"].bytes_list.value[0]
            seen.append(TASK.preprocess(tensorflow.io.decode_png(png, channels=3).numpy()))
    classifier = Classifier.load(trained.version, device=Device.CPU)
    answers = classifier.confidences_of_pictures(np.stack(seen)).argmax(axis=1)
    right = sum(SHAPES[answer] == label for answer, label in zip(answers, truth, strict=True))
    assert trained.version.manifest.metrics["accuracy"] == right / len(truth)


def test_rounding_keeps_what_sixteen_bits_hold() -> None:
    # IEEE 754 half precision: a third is 1365 x 2^-12, and 2^-25 is nothing
    given = {"a": np.array([1 / 3, -2.5, 2.0**-25, 2049.0], np.float32)}
    found = rounded(given)["a"]
    assert found.dtype == np.float32
    assert found.tolist() == [1365 / 4096, -2.5, 0.0, 2048.0]


@pytest.mark.parametrize("weight", [65520.0, -1e9, float("inf"), float("nan")])
def test_weight_that_sixteen_bits_do_not_hold_is_refused(weight: float) -> None:
    # the largest number of half precision is 65504; from 65520 on, all is rounded to infinity
    rounded({"a": np.array([65504.0], np.float32)})
    with pytest.raises(TrainingError, match="stem/kernel: a weight does not fit 16 bits"):
        rounded({"stem/kernel": np.array([0.5, weight], np.float32)})


def test_every_label_has_thresholds_of_its_own(trained: TrainedShapes) -> None:
    manifest = trained.version.manifest
    assert {*manifest.label_thresholds} <= {*SHAPES}
    assert manifest.loss == RECIPE.loss
    assert (manifest.onset, manifest.offset) not in manifest.label_thresholds.values()


def test_version_and_work_folder_hold_the_report_and_the_history(trained: TrainedShapes) -> None:
    report = trained.version.folder / "report"
    pages = {path.name for path in report.iterdir()}
    assert {"model_card.md", "report.json"} <= pages
    for page in pages:
        if page.endswith(".png"):
            with Image.open(report / page) as picture:
                picture.verify()
    metrics = trained.version.manifest.metrics
    assert f"{metrics['accuracy']:.3f}" in (report / "model_card.md").read_text()
    told = json.loads((report / "report.json").read_text())
    assert told["recipe"]["batch_size"] == 10
    assert told["shown_per_epoch"] == dict.fromkeys(SHAPES, 43)  # 60 less 6 to test, 11 to validate
    # the checkpoint is gone, for people the history stays
    assert sorted(path.name for path in trained.work_folder.iterdir()) == [
        "history.csv",
        "lock",
        "tensorboard",
    ]
    with (trained.work_folder / "history.csv").open(newline="") as file:
        losses = [float(row["loss"]) for row in csv.DictReader(file)]
    assert losses == [epoch.loss for epoch in trained.histories[-1]]


def refused(dataset: Dataset, folder: Path, name: str = "shapes", version: str = "1") -> None:
    """Try to train; what is wrong must show before a still is unpacked."""
    provenance = Provenance(licence=" ") if name == "no-licence" else Provenance()

    def too_late(step: str, _done: int, _total: int) -> None:
        raise AssertionError(step)

    train_model_version(
        TrainingPlan(dataset, name, version, RECIPE, provenance=provenance),
        folder / "models" / "new",
        work_folder=folder / "work",
        on_progress=too_late,
    )


@pytest.mark.parametrize(
    ("name", "version", "message"),
    [
        ("My Model", "1", "name 'My Model' is not a short lower-case slug"),
        ("../../elsewhere", "1", "is not a short lower-case slug"),
        ("shapes", "../1", "version '../1' is not like 1 or 2.1"),
        ("no-licence", "1", "licence is not a text"),
    ],
)
def test_what_no_manifest_may_say_is_refused_before_training(
    trained: TrainedShapes, tmp_path: Path, name: str, version: str, message: str
) -> None:
    with pytest.raises(ArtifactError, match=message):
        refused(trained.dataset, tmp_path, name, version)
    assert list(tmp_path.iterdir()) == []


def test_existing_folder_is_refused_before_training(trained: TrainedShapes, tmp_path: Path) -> None:
    (tmp_path / "models" / "new").mkdir(parents=True)
    with pytest.raises(ArtifactError, match="exists, and a model version never changes"):
        refused(trained.dataset, tmp_path)


def test_second_training_at_one_place_is_refused(trained: TrainedShapes, tmp_path: Path) -> None:
    with (
        alone_at_work(tmp_path / "work"),
        pytest.raises(TrainingError, match="another training uses it"),
    ):
        refused(trained.dataset, tmp_path)


@pytest.mark.parametrize("part", ["train", "validation", "test"])
def test_shard_that_is_damaged_in_the_middle_is_named_before_training(
    trained: TrainedShapes, tmp_path: Path, part: str
) -> None:
    folder = shutil.copytree(trained.dataset.folder, tmp_path / "dataset")
    shard = folder / "shards" / f"{part}-00001-of-00003.tfrecord"
    content = bytearray(shard.read_bytes())
    content[len(content) // 2] ^= 0xFF
    shard.write_bytes(content)
    with pytest.raises(DatasetError, match=f"{part}-00001-of-00003.tfrecord: damaged shard"):
        refused(open_dataset(folder), tmp_path)
    assert [path.name for path in tmp_path.iterdir()] == ["dataset"]


def test_part_that_shows_nobody_known_is_refused_before_training(
    trained: TrainedShapes, tmp_path: Path
) -> None:
    manifest = trained.dataset.manifest
    counts = {**manifest.counts, "validation": (0, 0, 33)}
    strangers = replace(manifest, labels=("disc", "frame", "unknown"), counts=counts)
    with pytest.raises(DatasetError, match="validation shows no known character; build it from"):
        refused(replace(trained.dataset, manifest=strangers), tmp_path)


def test_same_stills_in_other_parts_are_another_training(tmp_path: Path) -> None:
    """With the sources swapped the split falls otherwise, and fingerprint and seed are the same."""
    first = write_stills(tmp_path / "first", {"apple": 20, "pear": 20})
    second = tmp_path / "second"
    for label in ("apple", "pear"):
        (second / label).mkdir(parents=True)
        for still in sorted((first / label).iterdir())[10:]:
            still.rename(second / label / still.name)
    there, back = (
        build_dataset(sources, tmp_path / name, BuildOptions(shards=1))
        for name, sources in {"there": (first, second), "back": (second, first)}.items()
    )
    assert there.manifest.fingerprint_sha256 == back.manifest.fingerprint_sha256
    assert there.manifest.seed == back.manifest.seed
    assert identity_of(there) != identity_of(back)
    assert identity_of(there) == identity_of(open_dataset(there.folder))


def identity_of(
    dataset: Dataset,
    teachers: tuple[ModelVersion, ...] = (),
    start: ModelVersion | None = None,
) -> str:
    recipe = replace(RECIPE, taught=0.5)
    return TrainingPlan(dataset, "shapes", "2", recipe, teachers, start).identity


def test_other_teachers_are_another_training(trained: TrainedShapes) -> None:
    alone, taught = (
        identity_of(trained.dataset, teachers=teachers) for teachers in ((), (trained.version,))
    )
    assert alone != taught


def test_a_teacher_whose_answers_mean_something_else_is_refused(
    trained: TrainedShapes, tmp_path: Path
) -> None:
    binary = replace(RECIPE, loss="binary", taught=0.5)
    with pytest.raises(TrainingError, match="shapes@1: was trained with loss categorical, the"):
        train_model_version(
            TrainingPlan(trained.dataset, "shapes", "2", binary, teachers=(trained.version,)),
            tmp_path / "shapes-2",
            work_folder=tmp_path / "work",
        )


def test_another_start_is_another_training(trained: TrainedShapes) -> None:
    anew, further = (identity_of(trained.dataset, start=start) for start in (None, trained.version))
    assert anew != further


def test_training_that_starts_from_a_version_knows_at_once_what_that_knew(
    trained: TrainedShapes, tmp_path: Path
) -> None:
    histories: list[tuple[Epoch, ...]] = []
    made = train_model_version(
        TrainingPlan(
            trained.dataset,
            "shapes",
            "2",
            replace(RECIPE, epochs=1, learning_rate=1e-7, final_learning_rate=0),
            start=trained.version,
        ),
        tmp_path / "shapes-2",
        work_folder=tmp_path / "work",
        on_epoch=histories.append,
    )
    before = trained.version.manifest.metrics["validation_accuracy"]
    assert histories[0][0].validation_accuracy == pytest.approx(before, abs=0.04)  # one of 33
    assert made.manifest.metrics["accuracy"] == trained.version.manifest.metrics["accuracy"]


def test_no_epochs_keep_the_weights_and_choose_thresholds_for_other_looks(
    trained: TrainedShapes, tmp_path: Path
) -> None:
    before = trained.version
    made = train_model_version(
        TrainingPlan(
            trained.dataset,
            "shapes",
            "2",
            replace(with_epochs(RECIPE, 0), closer_view=0.5, seed=4),
            start=before,
        ),
        tmp_path / "shapes-2",
        work_folder=tmp_path / "work",
    )
    assert made.manifest.weights_sha256 == before.manifest.weights_sha256
    assert (made.manifest.closer_view, before.manifest.closer_view) == (0.5, 0.0)
    assert made.manifest.temperature != before.manifest.temperature
    report = made.folder / "report"
    assert not {"curves.png", "history.csv"} & {path.name for path in report.iterdir()}
    card = (report / "model_card.md").read_text()
    assert "Recipe: epochs 0, closer_view 0.5, seed 4." in card
    assert "It was not trained: its weights are those of shapes@1, which" in card


def test_no_epochs_are_refused_where_weights_would_be_random_or_somebody_would_teach(
    trained: TrainedShapes, tmp_path: Path
) -> None:
    knows_less = write_model_by_lot(tmp_path / "models", labels=SHAPES[:2])
    recipe = with_network_of(with_epochs(BASELINE, 0), knows_less.manifest)
    for teachers, start, message in (
        ((), None, "0 epochs: nothing would be learnt; give a start"),
        ((trained.version,), trained.version, "and no teacher"),
        ((), knows_less, f"0 epochs: by_lot@1 does not know {SHAPES[2]}; give some epochs"),
    ):
        with pytest.raises(TrainingError, match=message):
            train_model_version(
                TrainingPlan(
                    trained.dataset, "shapes", "2", recipe, teachers=teachers, start=start
                ),
                tmp_path / "shapes-2",
                work_folder=tmp_path / "work",
            )
    assert [path.name for path in tmp_path.iterdir()] == ["models"]


def test_start_of_another_network_is_refused_before_anything_is_learnt(
    trained: TrainedShapes, tmp_path: Path
) -> None:
    with pytest.raises(TrainingError, match="start shapes@1: has another network"):
        train_model_version(
            TrainingPlan(trained.dataset, "shapes", "2", REGIONAL, start=trained.version),
            tmp_path / "shapes-2",
            work_folder=tmp_path / "work",
        )
    assert not list(tmp_path.iterdir())


def test_next_version_is_one_more_than_the_highest_whole_number(tmp_path: Path) -> None:
    assert next_version("by_lot", [tmp_path]) == "1"
    for version in ("1", "10", "2.5", "beta"):
        write_model_by_lot(tmp_path, version=version)
    write_model_by_lot(tmp_path, "other", version="99")
    assert next_version("by_lot", [tmp_path]) == "11"
