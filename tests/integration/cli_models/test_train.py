"""`castline train`, from a dataset to a version that the other commands see."""

import json
import shutil
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

from model.dataset.build import build_dataset
from model.dataset.plan import BuildOptions
from model.networks.named import build_network, weights_of
from model.pictures.preprocess import TASK
from model.recipe import RECIPES, REGIONAL
from model.version.artifact import COMPILED, ModelVersion, read_model_version, write_model_version
from model.version.region_views import RegionViews
from tests.servers.commands import castline_here, one_line
from tests.stills.models import manifest_by_lot
from tests.stills.still_folders import write_stills

pytestmark = pytest.mark.integration

QUICKLY = ("--recipe", "baseline", "--epochs", "2", "--batch-size", "8")


@pytest.fixture(scope="module")
def dataset(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("train")
    source = write_stills(folder / "stills", {"apple": 12, "pear": 12})
    return build_dataset([source], folder / "Two Fruits", BuildOptions(shards=2)).folder


@pytest.fixture(scope="module")
def home(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return tmp_path_factory.mktemp("home")


@pytest.fixture(scope="module")
def first(home: Path, dataset: Path) -> tuple[ModelVersion, str]:
    """The version that the first training made, and what it said."""
    done = castline_here(home, "train", dataset, *QUICKLY, "--about", "Fruits, drawn.")
    assert done.returncode == 0, done.stderr
    return read_model_version(home / "models" / "two_fruits-1"), done.stderr


def test_training_says_each_epoch_and_what_came_out(first: tuple[ModelVersion, str]) -> None:
    version, said = first
    lines = said.splitlines()
    assert [line.split()[:2] for line in lines[:2]] == [["epoch", "1/2"], ["epoch", "2/2"]]
    assert lines[2].startswith("two_fruits@1: test accuracy ")
    assert lines[3] == f"Model card and report: {version.folder / 'report'}"
    assert lines[4] == "Use it: castline tag EPISODE --model two_fruits@1"
    assert len(lines) == 5


def test_version_has_its_whole_report(first: tuple[ModelVersion, str]) -> None:
    version, _ = first
    assert {path.name for path in (version.folder / "report").iterdir()} == {
        "classification_report.txt",
        "confusion.png",
        "confusion_normalised.png",
        "curves.png",
        "history.csv",
        "mistakes.png",
        "model_card.md",
        "reliability.png",
        "report.json",
    }
    card = (version.folder / "report" / "model_card.md").read_text()
    assert "castline train" in card
    assert "--recipe baseline" in card
    assert "Fruits, drawn." in card


def test_models_list_sees_it_and_leaves_nothing_else(
    home: Path, first: tuple[ModelVersion, str]
) -> None:
    version, _ = first
    listed = json.loads(castline_here(home, "models", "list", "--json").stdout)
    assert version.manifest.reference in json.dumps(listed)
    assert {path.name for path in (home / "models").iterdir()} == {"two_fruits-1", COMPILED}
    assert [path.name for path in (home / "models" / COMPILED).iterdir()] == [
        version.compiled_path.name
    ]


def test_second_training_makes_the_second_version_with_the_same_weights(
    home: Path, dataset: Path, first: tuple[ModelVersion, str], tmp_path: Path
) -> None:
    shutil.copytree(home / "models", tmp_path / "models")
    done = castline_here(tmp_path, "train", dataset, *QUICKLY)
    assert done.returncode == 0, done.stderr
    second = read_model_version(tmp_path / "models" / "two_fruits-2").manifest
    assert second.version == "2"
    assert second.weights_sha256 == first[0].manifest.weights_sha256


def test_interrupted_training_goes_on_with_resume_to_the_same_weights(
    dataset: Path,
    first: tuple[ModelVersion, str],
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    import keras

    take, steps = keras.Model.train_on_batch, iter(range(1000))

    def take_until_interrupted(*arguments: Any) -> Any:
        if next(steps) == 3:  # of two steps per epoch
            raise KeyboardInterrupt
        return take(*arguments)

    with monkeypatch.context() as patch:
        patch.setattr(keras.Model, "train_on_batch", take_until_interrupted)
        interrupted = castline_here(tmp_path, "train", dataset, *QUICKLY)
    assert interrupted.returncode != 0
    assert not (tmp_path / "models").exists()

    # what is asked for now is another training
    refused = castline_here(tmp_path, "train", dataset, *QUICKLY, "--seed", "1", "--resume")
    assert refused.returncode == 1
    assert "of another dataset, recipe, seed, start or teachers" in one_line(refused.stderr)

    # and an hour is not thrown away
    refused = castline_here(tmp_path, "train", dataset, *QUICKLY)
    assert refused.returncode == 1
    assert "of this training after epoch 1; continue with --resume" in one_line(refused.stderr)
    left = set((tmp_path / "training" / "two_fruits-1" / "tensorboard").iterdir())

    resumed = castline_here(tmp_path, "train", dataset, *QUICKLY, "--resume")
    assert resumed.returncode == 0, resumed.stderr
    assert resumed.stderr.splitlines()[0].startswith("epoch   2/2")
    made = read_model_version(tmp_path / "models" / "two_fruits-1").manifest
    assert made.weights_sha256 == first[0].manifest.weights_sha256
    history = (tmp_path / "training" / "two_fruits-1" / "history.csv").read_text()
    assert len(history.splitlines()) == 3
    assert left < set((tmp_path / "training" / "two_fruits-1" / "tensorboard").iterdir())


def test_training_with_nothing_to_resume_says_so_and_leaves_no_earlier_events(
    dataset: Path, tmp_path: Path
) -> None:
    work = tmp_path / "training" / "two_fruits-1"
    (work / "tensorboard").mkdir(parents=True)
    (work / "tensorboard" / "events.out.tfevents.earlier").write_bytes(b"")
    once = ("--recipe", "baseline", "--epochs", "1", "--batch-size", "8", "--resume")
    done = castline_here(tmp_path, "train", dataset, *once)
    assert done.returncode == 0, done.stderr
    assert (
        done.stderr.splitlines()[0] == f"nothing to resume in {work}: starting from the beginning"
    )
    assert [path for path in (work / "tensorboard").iterdir() if "earlier" in path.name] == []


def test_who_is_taught_says_by_whom(
    home: Path,
    dataset: Path,
    first: tuple[ModelVersion, str],
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    assert first[0].manifest.preprocessing == "fit84_crop64"
    shutil.copytree(home / "models", tmp_path / "models")
    few = {"widths": [8, 8], "blocks": [1, 1], "dropout": 0.0}
    regional = replace(REGIONAL, network_parameters=few)
    monkeypatch.setattr("model.recipe.RECIPES", {**RECIPES, "regional": regional})
    small = ("--recipe", "regional", "--epochs", "1", "--batch-size", "8", "--name", "pupil")
    refused = castline_here(tmp_path, "train", dataset, *small, "--teacher", "two_fruits")
    assert refused.returncode == 1
    assert "uses preprocessing fit84_crop64, the recipe fit112_crop96" in one_line(refused.stderr)
    refused = castline_here(tmp_path, "train", dataset, *QUICKLY, "--teacher", "two_fruits")
    assert refused.returncode == 1
    assert "this recipe uses no teacher" in one_line(refused.stderr)

    taught = [*small]
    assert castline_here(tmp_path, "train", dataset, *taught).returncode == 0
    taught[-1] = "pupils_pupil"
    done = castline_here(tmp_path, "train", dataset, *taught, "--teacher", "pupil")
    assert done.returncode == 0, done.stderr
    made = read_model_version(tmp_path / "models" / "pupils_pupil-1")
    card = (made.folder / "report" / "model_card.md").read_text()
    assert "taught 0.8" in card
    assert "Teachers: pupil@1." in card
    [named] = json.loads((made.folder / "report" / "report.json").read_text())["teachers"]
    assert named["reference"] == "pupil@1"


def test_training_that_starts_from_a_version_is_short_and_says_from_which(
    home: Path, dataset: Path, first: tuple[ModelVersion, str], tmp_path: Path
) -> None:
    shutil.copytree(home / "models", tmp_path / "models")
    more = ("--start", "two_fruits", "--batch-size", "8")
    done = castline_here(tmp_path, "train", dataset, *more)
    assert done.returncode == 0, done.stderr
    assert done.stderr.splitlines()[0].startswith("epoch   1/8 ")  # recipe further's
    made = read_model_version(tmp_path / "models" / "two_fruits-2")
    # what is trained is the start's network, which sees as it did
    for name in ("network", "network_parameters", "preprocessing", "views"):
        assert getattr(made.manifest, name) == getattr(first[0].manifest, name)
    card = (made.folder / "report" / "model_card.md").read_text()
    assert (
        "It began with the weights of two_fruits@1, which was trained on the same stills:" in card
    )
    report = json.loads((made.folder / "report" / "report.json").read_text())
    assert report["start"] == {"reference": "two_fruits@1", "sha256": first[0].sha256}


def test_training_that_starts_from_one_that_glances_keeps_its_network_and_not_the_glance(
    dataset: Path, tmp_path: Path
) -> None:
    glancing = replace(
        manifest_by_lot("glancing"),
        network="residual",
        network_parameters={"widths": [8, 8], "blocks": [1, 1], "dropout": 0.0},
        glance_side=48,
        glance_clear=0.6,
    )
    network = build_network(
        glancing.network, glancing.network_parameters, glancing.labels, TASK.shape
    )
    write_model_version(tmp_path / "models" / "glancing-1", glancing, weights_of(network))
    done = castline_here(tmp_path, "train", dataset, *QUICKLY, "--start", "glancing")
    assert done.returncode == 0, done.stderr
    made = read_model_version(tmp_path / "models" / "two_fruits-1")
    assert made.manifest.network == "residual"
    assert made.manifest.labels == ("apple", "pear")
    assert made.manifest.views == RegionViews()
    card = (made.folder / "report" / "model_card.md").read_text()
    assert "which was trained on other stills" in card


def damaged(dataset: Path, folder: Path) -> Path:
    copy = shutil.copytree(dataset, folder / "damaged")
    shard = copy / "shards" / "train-00000-of-00002.tfrecord"
    content = bytearray(shard.read_bytes())
    content[len(content) // 2] ^= 0xFF
    shard.write_bytes(content)
    return copy


def nameless(dataset: Path, folder: Path) -> Path:
    return shutil.copytree(dataset, folder / "...数据")


def absent(_dataset: Path, folder: Path) -> Path:
    return folder


@pytest.mark.parametrize(
    ("kind", "options", "message"),
    [
        (
            "sound",
            ("--recipe", "weak"),
            "recipe 'weak' is unknown: use baseline, strong, regional, large or further",
        ),
        ("sound", ("--teacher", "nobody@1"), "nobody@1"),
        ("sound", ("--teacher", "springfield"), "teacher springfield@9: has other labels than"),
        ("sound", ("--start", "nobody@1"), "nobody@1"),
        ("sound", ("--start", ""), "model '': not a name; give NAME or NAME@VERSION"),
        ("sound", ("--recipe", ""), "recipe '' is unknown"),
        ("sound", ("--epochs", "0"), "0 epochs: nothing would be learnt; give a start"),
        ("sound", ("--batch-size", "5000"), "batch_size is 5000; give 1 to 4096"),
        ("sound", ("--name", "Two Fruits"), "name 'Two Fruits' is not a short lower-case slug"),
        ("sound", ("--name", "../fruits"), "is not a short lower-case slug"),
        ("sound", ("--name", ""), "gives no valid name for a model; give one with --name"),
        ("nameless", (), "gives no valid name for a model; give one with --name"),
        ("absent", (), "not a dataset (dataset.json: No such file or directory); make one:"),
        ("damaged", (), "train-00000-of-00002.tfrecord: damaged shard"),
    ],
)
def test_what_cannot_be_trained_is_one_line_and_leaves_nothing(
    dataset: Path, tmp_path: Path, kind: str, options: tuple[str, ...], message: str
) -> None:
    make = {"absent": absent, "damaged": damaged, "nameless": nameless}.get(kind)
    folder = make(dataset, tmp_path) if make else dataset
    home = tmp_path / "home"
    done = castline_here(home, "train", folder, *QUICKLY, *options)
    assert done.returncode == 1
    assert message in one_line(done.stderr)
    assert not (home / "models").exists()
    assert not (home / "training").exists()
