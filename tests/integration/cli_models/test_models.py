"""`castline models`: what is there, taking over what comes from elsewhere, and which is better."""

import csv
import hashlib
import json
import os
import shutil
import subprocess
import sys
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from PIL import Image
from safetensors.numpy import load_file, save
from sklearn.metrics import accuracy_score, f1_score

from model.dataset.build import build_dataset
from model.dataset.folder import Dataset
from model.dataset.plan import BuildOptions
from model.inference.classifier import Classifier
from model.inference.compiling import compiled_here
from model.pictures.preprocess import TASK
from model.version.artifact import COMPILED, ModelVersion, find_model, read_manifest
from model.version.manifest import to_bytes
from tests.servers.commands import castline_here, environment_of, one_line
from tests.stills.models import LABELS, NAME, write_model_by_lot
from tests.stills.still_folders import write_stills

pytestmark = [pytest.mark.integration, pytest.mark.usefixtures("compiles_here")]


@pytest.fixture
def home(tmp_path: Path) -> Path:
    return tmp_path / "home"


def printed(home: Path, *arguments: str | Path) -> Any:
    """What a command prints as JSON."""
    ended = castline_here(home, "models", *arguments, "--json")
    assert ended.returncode == 0, ended.stderr
    return json.loads(ended.stdout)


def refusal(home: Path, *arguments: str | Path) -> str:
    """The one line with which a command fails."""
    ended = castline_here(home, "models", *arguments)
    assert ended.returncode == 1, ended.stdout
    assert ended.stdout == ""
    return one_line(ended.stderr)


def test_the_newest_model_is_listed_first_and_the_bundled_one_is_the_default(home: Path) -> None:
    models = home / "models"
    write_model_by_lot(models, "old", created_at="2020-01-01T00:00:00+00:00")
    write_model_by_lot(models, "new", created_at="2199-01-01T00:00:00+00:00")
    listed = printed(home, "list")
    assert [item["model"] for item in listed] == [
        "new@1",
        find_model(None).manifest.reference,
        "old@1",
    ]
    assert [item["is_default"] for item in listed] == [False, True, False]
    assert [item["is_bundled"] for item in listed] == [False, True, False]
    assert listed[0]["folder"] == str(models / "new-1")
    words = castline_here(home, "models", "list").stdout.split()
    assert [word for word in words if "@" in word] == [item["model"] for item in listed]


def test_a_damaged_model_is_named_beside_those_that_are_well(home: Path) -> None:
    damaged = write_model_by_lot(home / "models", "torn").folder / "manifest.json"
    damaged.write_text("{")
    ended = castline_here(home, "models", "list")
    assert ended.returncode == 3
    assert str(damaged.parent) in one_line(ended.stderr)
    assert find_model(None).manifest.reference in ended.stdout


def test_a_model_without_weights_is_named_beside_those_that_are_well(home: Path) -> None:
    version = write_model_by_lot(home / "models", "torn")
    version.weights_path.unlink()
    ended = castline_here(home, "models", "list", "--json")
    assert ended.returncode == 3
    assert f"{version.folder}: no weights.safetensors" in one_line(ended.stderr)
    assert [item["model"] for item in json.loads(ended.stdout)] == [
        find_model(None).manifest.reference
    ]
    assert str(version.folder) in refusal(home, "show", "torn")


def test_unknown_is_shown_without_thresholds(home: Path) -> None:
    write_model_by_lot(home / "models", labels=("bart", "ned", "unknown"))
    shown = castline_here(home, "models", "show", NAME).stdout.splitlines()
    table = shown[[line.split()[:1] for line in shown].index(["character"]) + 1 :]
    assert [line.split()[0] for line in table] == ["bart", "ned"]


def test_listing_and_showing_import_no_tensorflow(home: Path) -> None:
    write_model_by_lot(home / "models")
    program = (
        "import sys\n"
        "from cli.main import app\n"
        "for command in (['list'], ['show', 'by_lot']):\n"
        "    app(['models', *command], standalone_mode=False)\n"
        "heavy = {'tensorflow', 'keras', 'sklearn', 'matplotlib'} & set(sys.modules)\n"
        "assert not heavy, heavy\n"
    )
    ended = subprocess.run([sys.executable, "-c", program], env=environment_of(home), check=False)
    assert ended.returncode == 0


def test_a_model_is_shown_with_its_figures_and_the_thresholds_of_each_label(home: Path) -> None:
    version = write_model_by_lot(
        home / "models",
        label_thresholds={"cedar": (0.9, 0.7)},
        metrics={"accuracy": 0.875, "macro_f1": 0.8125},
    )
    shown = printed(home, "show", "by_lot@1")
    manifest = json.loads((version.folder / "manifest.json").read_text())
    for field in set(manifest) - {"format", "weights_sha256"}:
        assert shown[field] == manifest[field], field
    assert shown["sha256"] == version.sha256
    assert (shown["report"], shown["model_card"]) == (str(version.folder / "report"), None)

    lines = castline_here(home, "models", "show", "by_lot").stdout.splitlines()
    rows = {cells[0]: cells[1:] for line in lines if (cells := line.split())}
    assert rows["birch"] == ["birch", "0.400", "0.300"]
    assert rows["cedar"] == ["cedar", "0.900", "0.700", "own"]
    assert rows["accuracy"] == ["0.875"]


def test_the_bundled_model_shows_where_its_model_card_is(home: Path) -> None:
    reference = find_model(None).manifest.reference
    card = Path(printed(home, "show", reference)["model_card"])
    assert card.read_text().startswith("# ")


def test_a_model_that_is_not_there_is_refused_with_those_that_are(home: Path) -> None:
    assert find_model(None).manifest.reference in refusal(home, "show", "nobody@9")


def test_an_imported_model_is_there_byte_for_byte_with_its_report(
    tmp_path: Path, home: Path
) -> None:
    offered = write_model_by_lot(tmp_path / "elsewhere")
    (offered.folder / "report" / "model_card.md").write_text("# By lot")
    ended = castline_here(home, "models", "import", offered.folder)
    assert ended.returncode == 0, ended.stderr
    folder = home / "models" / "by_lot-1"
    assert contents(folder) == contents(offered.folder)
    assert {path.name for path in (home / "models").iterdir()} == {"by_lot-1", COMPILED}
    imported = find_model("by_lot", [home / "models"])
    assert imported.sha256 == offered.sha256
    assert imported.compiled_path.exists()

    again = castline_here(home, "models", "import", offered.folder)
    assert again.returncode == 0
    assert "is there already" in one_line(again.stderr)


def test_a_version_that_is_there_but_was_never_compiled_is_compiled_by_its_import(
    home: Path,
) -> None:
    there = write_model_by_lot(home / "models")
    ended = castline_here(home, "models", "import", there.folder)
    assert ended.returncode == 0, ended.stderr
    assert there.compiled_path.exists()


def contents(folder: Path) -> dict[str, bytes]:
    """A folder's files by their paths in it."""
    files = (path for path in folder.rglob("*") if path.is_file())
    return {str(path.relative_to(folder)): path.read_bytes() for path in files}


def test_another_model_of_the_same_name_and_version_is_refused(tmp_path: Path, home: Path) -> None:
    there = write_model_by_lot(home / "models")
    other = write_model_by_lot(tmp_path / "elsewhere", lot=5)
    before = contents(home)
    message = refusal(home, "import", other.folder)
    assert "is another by_lot@1" in message
    assert str(there.folder) in message
    assert contents(home) == before


def test_another_model_named_like_the_bundled_one_is_refused(tmp_path: Path, home: Path) -> None:
    bundled = find_model(None).manifest
    other = write_model_by_lot(tmp_path / "elsewhere", bundled.name, version=bundled.version)
    assert f"is another {bundled.reference}" in refusal(home, "import", other.folder)


def a_link_in_the_report(folder: Path) -> None:
    (folder / "report" / "card.md").symlink_to("/etc/hostname")


def a_folder_in_the_report(folder: Path) -> None:
    (folder / "report" / "more").mkdir()


def a_report_without_end(folder: Path) -> None:
    (folder / "report" / "big.png").touch()
    os.truncate(folder / "report" / "big.png", 1 << 40)  # takes no disk


def a_program(folder: Path) -> None:
    (folder / "setup.py").write_text("print('hello')")


def other_weights(folder: Path) -> None:
    (folder / "weights.safetensors").write_bytes(b"\0" * 1000)


def a_larger_network(folder: Path) -> None:
    manifest = read_manifest(folder)
    larger = replace(manifest, network_parameters={**manifest.network_parameters, "dense": 17})
    (folder / "manifest.json").write_bytes(to_bytes(larger))


def a_network_without_bounds(folder: Path) -> None:
    """Its dense layer alone would have a thousand million weights."""
    manifest = replace(read_manifest(folder), network_parameters={"filters": [1024], "dense": 1024})
    (folder / "manifest.json").write_bytes(to_bytes(manifest))


def weights_without_bounds(folder: Path) -> None:
    weights = load_file(folder / "weights.safetensors")
    largest = {name: np.full_like(array, 65_504) for name, array in weights.items()}
    content = save(largest)
    (folder / "weights.safetensors").write_bytes(content)
    named = replace(read_manifest(folder), weights_sha256=hashlib.sha256(content).hexdigest())
    (folder / "manifest.json").write_bytes(to_bytes(named))


def an_unknown_network(folder: Path) -> None:
    manifest = replace(read_manifest(folder), network="oracle")
    (folder / "manifest.json").write_bytes(to_bytes(manifest))


HARM = {
    a_link_in_the_report: "card.md",
    a_folder_in_the_report: "more",
    a_report_without_end: "larger than",
    a_program: "setup.py",
    other_weights: "not the weights",
    a_larger_network: "do not fit",
    a_network_without_bounds: "make it smaller",
    weights_without_bounds: "by_lot@1: the network's outputs are not finite",
    an_unknown_network: "'oracle'",
}


@pytest.mark.parametrize("harm", HARM, ids=lambda harm: harm.__name__)
def test_a_folder_that_is_no_sound_model_is_refused_and_leaves_nothing(
    harm: Any, tmp_path: Path, home: Path
) -> None:
    offered = write_model_by_lot(tmp_path / "elsewhere").folder
    harm(offered)
    assert HARM[harm] in refusal(home, "import", offered)
    assert not home.exists() or contents(home) == {}
    assert list(home.glob("models/*")) == []  # hidden ones too


def test_a_folder_that_is_not_there_is_refused(tmp_path: Path, home: Path) -> None:
    assert str(tmp_path / "nowhere") in refusal(home, "import", tmp_path / "nowhere")


def exchanged_meanwhile(monkeypatch: pytest.MonkeyPatch, exchange: Callable[[], object]) -> None:
    """Have something happen between an import's first check and its copy."""

    def exchange_and_compile(version: ModelVersion) -> bytes:
        monkeypatch.undo()
        exchange()
        return compiled_here(version)

    monkeypatch.setattr("model.importing.compiled_here", exchange_and_compile)


@pytest.mark.parametrize("part", ["report", "."])
def test_a_link_that_takes_a_folder_s_place_during_an_import_leads_nowhere(
    part: str, tmp_path: Path, home: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    offered = write_model_by_lot(tmp_path / "elsewhere").folder
    secret = tmp_path / "secret" / "report" / "key"
    secret.parent.mkdir(parents=True)
    secret.write_text("mine alone")
    for name in ("manifest.json", "weights.safetensors"):
        (secret.parent.parent / name).write_bytes((offered / name).read_bytes())

    def exchange() -> None:
        (offered / part).rename(tmp_path / "moved")
        (offered / part).symlink_to(secret.parents[part == "."])

    exchanged_meanwhile(monkeypatch, exchange)
    assert str(offered) in refusal(home, "import", offered)
    assert list(home.glob("models/*")) == []


def test_an_import_that_another_one_overtakes_finds_the_model_there(
    tmp_path: Path, home: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    offered = write_model_by_lot(tmp_path / "elsewhere").folder
    exchanged_meanwhile(
        monkeypatch, lambda: shutil.copytree(offered, home / "models" / offered.name)
    )
    ended = castline_here(home, "models", "import", offered)
    assert ended.returncode == 0, ended.stderr
    assert "is there already" in one_line(ended.stderr)
    assert {path.name for path in (home / "models").iterdir()} == {offered.name, COMPILED}


def test_a_damaged_model_is_not_there_already(tmp_path: Path, home: Path) -> None:
    offered = write_model_by_lot(tmp_path / "elsewhere").folder
    there = home / "models" / offered.name
    shutil.copytree(offered, there)
    (there / "weights.safetensors").write_bytes(b"")
    assert f"{there}: is there already, but damaged" in refusal(home, "import", offered)


def test_what_is_in_the_way_of_an_import_stays(tmp_path: Path, home: Path) -> None:
    in_the_way = home / "models" / "by_lot-1"
    in_the_way.mkdir(parents=True)
    (in_the_way / "notes.txt").write_text("mine")
    offered = write_model_by_lot(tmp_path / "elsewhere")
    assert str(in_the_way) in refusal(home, "import", offered.folder)
    assert contents(home / "models") == {"by_lot-1/notes.txt": b"mine"}


@pytest.fixture(scope="module")
def dataset(tmp_path_factory: pytest.TempPathFactory) -> Dataset:
    """Three labels of the models by lot, and strangers."""
    folder = tmp_path_factory.mktemp("compared")
    counts = {"apple": 60, "birch": 40, "cedar": 30, "zebra": 30}
    source = write_stills(folder / "stills", counts)
    from model.stills.choice import Choice

    choice = Choice(("apple", "birch", "cedar"), None, 1, "keep")
    return build_dataset([source], folder / "dataset", BuildOptions(choice=choice, shards=3))


def predictions_of(version: ModelVersion, dataset: Dataset) -> dict[str, tuple[str, str]]:
    """What is right and what the model says of each test still, from the files themselves."""
    with (dataset.folder / "stills.csv").open() as file:
        rows = [row for row in csv.DictReader(file) if row["part"] == "test"]
    paths = [dataset.folder.parent / row["source"] for row in rows]
    pictures = np.stack([TASK.preprocess(np.asarray(Image.open(path))) for path in paths])
    numbers = Classifier.load(version).confidences_of_pictures(pictures).argmax(axis=1)
    labels = version.manifest.labels
    return {
        row["source"]: (row["label"], labels[number])
        for row, number in zip(rows, numbers, strict=True)
    }


def test_two_models_are_compared_label_by_label_and_still_by_still(
    home: Path, dataset: Dataset
) -> None:
    models = home / "models"
    first = write_model_by_lot(models, "first", lot=4)
    turned = (*LABELS[1:], LABELS[0])
    # of models by lot one that knows something better than the first, and something worse
    for lot in range(11, 40):
        second = write_model_by_lot(models, f"second_{lot}", lot=lot, labels=turned)
        answers = [predictions_of(version, dataset) for version in (first, second)]
        right = [
            {name for name, (truth, said) in each.items() if truth == said} for each in answers
        ]
        if right[0] - right[1] and right[1] - right[0]:
            break
    found = printed(home, "compare", "first", second.manifest.reference, dataset.folder)

    known = [source for source, (truth, _) in answers[0].items() if truth != "unknown"]
    assert len(known) == 6 + 4 + 3  # ceil(0.1 n) of each label
    for each, side in zip(answers, ("first", "second"), strict=True):
        truth, said = zip(*(each[source] for source in known), strict=True)
        assert found[side]["accuracy"] == pytest.approx(accuracy_score(truth, said))
        names = [row["label"] for row in found["labels"] if row["label"] != "unknown"]
        assert names == ["apple", "birch", "cedar"]
        f1 = f1_score(truth, said, labels=names, average=None, zero_division=0)
        assert [row[f"{side}_f1"] for row in found["labels"][:3]] == pytest.approx(f1)
        assert found[side]["macro_f1"] == pytest.approx(f1.mean())
        assert found[side]["unknown"]["stills"] == 3

    assert {item["source"] for item in found["gained"]} == right[1] - right[0]
    assert {item["source"] for item in found["lost"]} == right[0] - right[1]
    for item in (*found["gained"], *found["lost"]):
        source = item["source"]
        assert (item["label"], item["first_answer"]) == answers[0][source]
        assert (item["label"], item["second_answer"]) == answers[1][source]
    assert found["gained"], "the test compares nothing"
    assert found["lost"], "the test compares nothing"

    ended = castline_here(
        home, "models", "compare", "first", second.manifest.reference, dataset.folder
    )
    assert f"gains {len(found['gained'])} stills and loses {len(found['lost'])}" in ended.stderr
    assert "unknown: AUROC" in ended.stdout


def test_a_dataset_of_other_labels_than_the_models_is_refused(home: Path, dataset: Dataset) -> None:
    write_model_by_lot(home / "models")
    bundled = find_model(None).manifest.reference
    message = refusal(home, "compare", "by_lot", bundled, dataset.folder)
    assert "apple, birch, cedar" in message
    assert bundled in message
    assert "--labels" in message


def test_a_part_that_datasets_do_not_have_is_refused(home: Path, dataset: Dataset) -> None:
    write_model_by_lot(home / "models")
    assert "test" in refusal(home, "compare", "by_lot", "by_lot", dataset.folder, "--part", "all")
