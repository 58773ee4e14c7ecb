"""Labels are added to a dense version whose network is drawn by lot: colours are told apart."""

import json
import shutil
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from numpy.typing import NDArray
from PIL import Image

from model.adding.adding import add_labels
from model.adding.examples import examples_of, read_examples
from model.adding.features import DenseFeatures
from model.dataset.build import build_dataset
from model.dataset.plan import BuildOptions
from model.errors import TrainingError
from model.importing import import_model_version
from model.inference.classifier import Classifier
from model.inference.device import Device
from model.recipe import STRONG
from model.stills.choice import Choice
from model.version.artifact import ModelVersion, read_model_version
from model.version.provenance import Provenance
from model.version.weights import read_weights
from tests.servers.commands import castline_here, one_line
from tests.stills.models import write_model_by_lot
from tests.stills.placed_stills import LABELS, Placed, nobody, placed_stills
from tests.stills.tiny_dense import WIDTHS, write_dense_by_lot

pytestmark = [pytest.mark.integration, pytest.mark.usefixtures("compiles_here")]

KNOWN = LABELS[:2]
PARAMETERS: dict[str, Any] = {**WIDTHS, "joined": 16, "head": 24}
PROVENANCE = Provenance(licence="none", about_stills="Colours.", command="castline train --add")


def coloured(label: str, seed: int) -> Placed:
    """A rectangle of a label's colour anywhere, without a box that anybody is told of."""
    rng = np.random.default_rng(seed)
    width, height = rng.uniform(0.35, 0.6, 2)
    left, top = rng.uniform(0, 1 - width), rng.uniform(0, 1 - height)
    return Placed([(label, (left, top, left + width, top + height))], in_full=bool(seed % 2))


def pictures(label: str, count: int, first_seed: int) -> list[NDArray[np.uint8]]:
    stills = placed_stills(*(coloured(label, first_seed + number) for number in range(count)))
    return [stills.picture(number) for number in range(count)]


def write(folder: Path, by_label: Mapping[str, int], first_seed: int = 0) -> Path:
    for number, (label, count) in enumerate(by_label.items()):
        (folder / label).mkdir(parents=True)
        for index, picture in enumerate(pictures(label, count, first_seed + 1000 * number)):
            # no two are near-duplicates
            noisy = (
                picture.astype(int)
                + np.random.default_rng(index).integers(-12, 13, (5, 6, 1))[
                    np.arange(picture.shape[0])[:, None] * 5 // picture.shape[0],
                    np.arange(picture.shape[1])[None] * 6 // picture.shape[1],
                ]
            )
            Image.fromarray(noisy.clip(0, 255).astype(np.uint8)).save(
                folder / label / f"pic_{index:04}.png"
            )
    return folder


def examples(network: Any) -> bytes:
    stills = placed_stills(
        *(
            coloured(label, 100 * number + seed)
            for number, label in enumerate(KNOWN)
            for seed in range(12)
        ),
        *(coloured("unknown", seed) for seed in range(300, 308)),
        *(nobody() for _ in range(4)),
    )
    return examples_of(DenseFeatures(network, int8=True), stills, STRONG, told).to_bytes()


def told(*_: object) -> None:
    """Progress that nobody follows."""


@pytest.fixture(scope="module")
def home(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return tmp_path_factory.mktemp("home")


@pytest.fixture(scope="module")
def start(home: Path) -> ModelVersion:
    return write_dense_by_lot(
        home / "models", int8=True, parameters=PARAMETERS, labels=(*KNOWN, "eve"), examples=examples
    )


@pytest.fixture(scope="module")
def stills(home: Path) -> Path:
    return write(home / "stills", {"cid": 20, "dot": 14})


@pytest.fixture(scope="module")
def added(home: Path, start: ModelVersion, stills: Path) -> ModelVersion:
    done = castline_here(
        home, "train", "--start", "dense_by_lot", "--add", f"Cid={stills / 'cid'}", "--seed", "3"
    )
    assert done.returncode == 0, done.stderr
    said = done.stderr.splitlines()
    assert said[0].startswith("Cid: found in "), said
    assert said[-1] == "Use it: castline tag EPISODE --model dense_by_lot@2"
    assert not (home / "training").exists()
    return read_model_version(home / "models" / "dense_by_lot-2")


def raw(version: ModelVersion) -> dict[str, NDArray[np.float32]]:
    from safetensors.numpy import load_file

    shapes = {name: values.shape for name, values in load_file(version.weights_path).items()}
    return read_weights(version, shapes)


def test_what_was_known_stays_bit_for_bit(start: ModelVersion, added: ModelVersion) -> None:
    before, after = raw(start), raw(added)
    assert before.keys() == after.keys()
    for name, values in before.items():
        kept = after[name][..., : values.shape[-1]] if name.startswith("logits/") else after[name]
        np.testing.assert_array_equal(kept, values, name)
    frames = [*pictures("ann", 4, 50), *pictures("cid", 4, 60)]
    old, new = (
        Classifier.load(version, device=Device.CPU).confidences(frames)
        for version in (start, added)
    )
    assert old.shape == (8, 1, 3)
    np.testing.assert_array_equal(new[..., :3], old)
    manifest = added.manifest
    assert manifest.labels == (*start.manifest.labels, "cid")
    assert manifest.names == {"cid": "Cid"}
    for field in ("temperature", "onset", "offset", "int8", "preprocessing", "loss"):
        assert getattr(manifest, field) == getattr(start.manifest, field)
    assert set(manifest.label_thresholds) <= {"cid"}


def test_added_label_is_told_from_the_others(added: ModelVersion) -> None:
    classifier = Classifier.load(added, device=Device.CPU)
    onset = added.manifest.label_thresholds.get("cid", (added.manifest.onset, 0.0))[0]
    of_cid, of_ann, of_dot = (
        classifier.confidences(pictures(label, 20, 9000))[:, 0, 3]
        for label in ("cid", "ann", "dot")
    )
    assert (of_cid >= onset).sum() >= 17
    assert (of_ann >= onset).sum() <= 2
    # of whom it saw nothing
    assert of_dot.mean() < of_cid.mean()


def test_card_says_what_was_added_from_how_many_stills_and_how_well(added: ModelVersion) -> None:
    card = (added.folder / "report" / "model_card.md").read_text()
    assert "| cid | 20 | " in card
    assert "All weights of dense_by_lot@1 are unchanged" in card
    report = json.loads((added.folder / "report" / "report.json").read_text())
    assert report["start"]["reference"] == "dense_by_lot@1"
    figures = report["added"]["cid"]
    assert figures["stills"] == 20
    assert figures["recall"] == added.manifest.metrics["cid_recall"] >= 0.8
    assert figures["false_share"] == added.manifest.metrics["cid_false_share"] <= 0.1


def test_further_label_is_added_to_one_that_was_added_to(
    start: ModelVersion, added: ModelVersion, stills: Path, tmp_path: Path
) -> None:
    made = add_labels(
        added, {"dot": [stills / "dot"]}, tmp_path / "more-1", "more", "1", provenance=PROVENANCE
    )
    assert made.manifest.labels == (*start.manifest.labels, "cid", "dot")
    of_start, once, twice = (len(read_examples(one).features) for one in (start, added, made))
    assert of_start < once < twice
    new = Classifier.load(made, device=Device.CPU).confidences(pictures("dot", 20, 9000))[:, 0]
    onset = made.manifest.label_thresholds.get("dot", (made.manifest.onset, 0.0))[0]
    assert (new[:, 4] >= onset).sum() >= 15
    imported = import_model_version(made.folder, tmp_path / "models")
    assert imported.version.examples_path.read_bytes() == made.examples_path.read_bytes()


def test_two_labels_together_and_the_same_seed_give_the_same_version(
    start: ModelVersion, stills: Path, tmp_path: Path
) -> None:
    sources = {label: [stills / label] for label in ("cid", "dot")}
    first, again = (
        add_labels(start, sources, tmp_path / name, "both", "1", provenance=PROVENANCE, seed=2)
        for name in ("a", "b")
    )
    assert first.manifest.labels[-2:] == ("cid", "dot")
    assert first.manifest.weights_sha256 == again.manifest.weights_sha256
    assert first.manifest.examples_sha256 == again.manifest.examples_sha256


def test_dataset_takes_the_place_of_examples(stills: Path, tmp_path: Path) -> None:
    bare = write_dense_by_lot(tmp_path, int8=True, parameters=PARAMETERS, labels=(*KNOWN, "eve"))
    with pytest.raises(TrainingError, match="keeps no examples of what it knows; give the dataset"):
        add_labels(bare, {"cid": [stills / "cid"]}, tmp_path / "b", "b", "1", provenance=PROVENANCE)
    of_known = write(tmp_path / "known", {"ann": 14, "bob": 14}, first_seed=40)
    dataset = build_dataset([of_known], tmp_path / "dataset", BuildOptions(Choice(), shards=1))
    made = add_labels(
        bare,
        {"cid": [stills / "cid"]},
        tmp_path / "b",
        "b",
        "1",
        provenance=PROVENANCE,
        dataset=dataset,
    )
    assert made.manifest.metrics["cid_recall"] >= 0.8
    assert read_examples(made).features.shape[0] > 600


def refusals(stills: Path) -> dict[str, tuple[tuple[str, ...], str]]:
    cid = f"cid={stills / 'cid'}"
    begun = ("--start", "dense_by_lot@1")
    return {
        "known": ((*begun, "--add", f"Ann={stills / 'cid'}"), "dense_by_lot@1 knows it already"),
        "unknown": ((*begun, "--add", f"unknown={stills / 'cid'}"), "cannot be added"),
        "no folder": ((*begun, "--add", "cid=nowhere"), "nowhere: no such file or folder"),
        "no letter": ((*begun, "--add", "///=nowhere"), "--add: '///' has no letter or digit"),
        "no label": ((*begun, "--add", str(stills)), "is not LABEL=FOLDER"),
        "no start": (("--add", cid), "name it with --start MODEL"),
        "regional": (("--start", "by_lot", "--add", cid), "network baseline takes no further"),
        "recipe": ((*begun, "--add", cid, "--epochs", "2"), "--epochs: not allowed with --add"),
        "few": ((*begun, "--add", f"cid={stills / 'few'}"), "9 different pictures of cid, too few"),
    }


@pytest.mark.parametrize("which", list(refusals(Path())))
def test_what_cannot_be_added_is_refused_in_one_line(
    which: str, start: ModelVersion, stills: Path, tmp_path: Path
) -> None:
    shutil.copytree(start.folder, tmp_path / "models" / "dense_by_lot-1")
    write_model_by_lot(tmp_path / "models")
    copied = shutil.copytree(stills, tmp_path / "stills")
    (copied / "few").mkdir()
    for path in sorted((copied / "cid").iterdir())[:9]:
        shutil.copy(path, copied / "few")
    arguments, message = refusals(copied)[which]
    refused = castline_here(tmp_path, "train", *arguments)
    assert refused.returncode == 1
    assert message in one_line(refused.stderr)
    assert len(list((tmp_path / "models").iterdir())) == 2


def test_without_a_dataset_and_nothing_to_add_training_says_what_is_missing(tmp_path: Path) -> None:
    refused = castline_here(tmp_path, "train")
    assert refused.returncode == 2
    assert "DATASET" in refused.stderr
