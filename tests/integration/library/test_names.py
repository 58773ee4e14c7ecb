"""Names in any script: from folders and boxes to a dataset, a model, tags, answers and exports."""

import csv
import json
from collections.abc import Iterator
from fractions import Fraction
from pathlib import Path
from typing import Any, NamedTuple

import numpy as np
import pytest
from numpy.typing import NDArray
from PIL import Image

from ingest.frames.write_video import write_video
from model.dataset.folder import Dataset, open_dataset
from model.labels import label_of
from model.version.artifact import ModelVersion, read_model_version
from tests.rows.export_readers import READERS, Frames
from tests.rows.found import rows_of
from tests.servers.commands import castline_here, one_line
from tests.servers.databases import new_postgresql_url
from tests.stills.still_folders import blobs
from timeline.export.formats import FORMATS

pytestmark = pytest.mark.integration

LABELS = {
    "バート": "バート",
    "Éd": "éd",
    "Dr. Nick": "dr_nick",
    "Милхаус": "милхаус",
    "=1+1": "1_1",
    "a/b": "a_b",
}
"""By name. No folder can be called like the last, which comes by a file of boxes."""

COLOURS = (
    (230, 30, 30),
    (30, 220, 30),
    (40, 40, 240),
    (230, 220, 30),
    (220, 40, 220),
    (30, 220, 220),
)
"""By which a network tells the labels apart."""

STILLS = 40
"""Of each label."""

RATE = Fraction(24)
SECONDS = 3
"""For which each is on screen, one after another."""


def still(number: int, seed: int, height: int = 72, width: int = 96) -> NDArray[np.uint8]:
    """A picture of somebody: of their colour for the most part, and like no other."""
    own = np.array(COLOURS[number])
    return (0.75 * own + 0.25 * blobs(1000 * number + seed, height, width)).astype(np.uint8)


@pytest.fixture(scope="module")
def sources(tmp_path_factory: pytest.TempPathFactory) -> list[Path]:
    """A folder for each name, and a file of boxes for the one that cannot be a folder's."""
    folder = tmp_path_factory.mktemp("sources")
    lines = ["path,left,top,right,bottom,label"]
    for number, name in enumerate(LABELS):
        inner = folder / ("boxed" if "/" in name else f"stills/{name}")
        inner.mkdir(parents=True)
        for index in range(STILLS):
            Image.fromarray(still(number, index)).save(inner / f"pic_{index:04}.png")
            lines += [f"pic_{index:04}.png,0,0,1,1,{name}"] if "/" in name else []
    (folder / "boxed" / "boxes.csv").write_text("\n".join(lines), "utf-8")
    return [folder / "stills", folder / "boxed" / "boxes.csv"]


@pytest.fixture(scope="module")
def home(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return tmp_path_factory.mktemp("home")


@pytest.fixture(scope="module")
def dataset(home: Path, sources: list[Path]) -> Dataset:
    folder = home / "cast"
    built = castline_here(home, "dataset", "build", *sources, "-o", folder, "--shards", "2")
    assert built.returncode == 0, built.stderr
    assert {line.split("  ")[0] for line in built.stdout.splitlines()} == {
        *LABELS,
        "character",
        "total",
    }
    return open_dataset(folder)


@pytest.fixture(scope="module")
def version(home: Path, dataset: Dataset) -> ModelVersion:
    quickly = ("--recipe", "baseline", "--epochs", "8", "--batch-size", "8")
    trained = castline_here(home, "train", dataset.folder, *quickly)
    assert trained.returncode == 0, trained.stderr
    assert "Glyph" not in trained.stderr
    return read_model_version(home / "models" / "cast-1")


@pytest.fixture(scope="module")
def video(tmp_path_factory: pytest.TempPathFactory) -> Path:
    path = tmp_path_factory.mktemp("video") / "episode.mp4"

    def pictures() -> Iterator[NDArray[np.uint8]]:
        for number in range(len(LABELS)):
            for _ in range(int(SECONDS * RATE)):
                yield still(number, 500, 144, 192)

    write_video(path, pictures(), RATE)
    return path


class Tagged(NamedTuple):
    """Where an episode was tagged."""

    home: Path
    settings: dict[str, str]

    def run(self, *arguments: str | Path) -> str:
        done = castline_here(self.home, *arguments, **self.settings)
        assert done.returncode == 0, done.stderr
        return done.stdout

    def json(self, *arguments: str | Path) -> Any:
        return json.loads(self.run(*arguments, "--json"))


@pytest.fixture(scope="module", params=["sqlite", "postgresql"])
def tagged(
    home: Path, version: ModelVersion, video: Path, request: pytest.FixtureRequest
) -> Tagged:
    settings = {}
    if request.param == "postgresql":
        url = new_postgresql_url(request.getfixturevalue("postgresql_base_url"))
        settings["database_url"] = url
    place = Tagged(home, settings)
    place.run("db", "upgrade")  # which makes the role that castline sql asks by
    said = place.run("tag", video, "--model", version.manifest.reference)
    assert {line.split("  ")[0] for line in said.splitlines()[2:]} == {*LABELS}
    return place


def test_a_dataset_and_a_model_keep_labels_and_names(
    dataset: Dataset, version: ModelVersion
) -> None:
    names = {label: name for name, label in LABELS.items() if label != name}
    for manifest in (dataset.manifest, version.manifest):
        assert {*manifest.labels} == {*LABELS.values()}
        assert manifest.names == names
        assert manifest.names["バート"] == "バート"
    card = (version.folder / "report" / "model_card.md").read_text("utf-8")
    assert r"a frame shows: =1\+1, a/b, Dr. Nick, Éd, Милхаус, バート." in card


def test_labels_to_choose_may_be_given_as_names(
    home: Path, sources: list[Path], tmp_path: Path
) -> None:
    chosen = ("--labels", "dr nick, =1+1,バート", "--others", "drop")
    built = castline_here(home, "dataset", "build", *sources, "-o", tmp_path / "some", *chosen)
    assert built.returncode == 0, built.stderr
    manifest = open_dataset(tmp_path / "some").manifest
    assert manifest.labels == ("1_1", "dr_nick", "バート")
    assert manifest.names == {"1_1": "=1+1", "dr_nick": "Dr. Nick"}


@pytest.mark.parametrize(
    ("arguments", "line"),
    [
        (("--labels", "バート,///"), "castline: --labels: '///' has no letter or digit"),
        (("--without", "🙂"), "castline: --without: '🙂' has no letter or digit"),
    ],
)
def test_a_name_without_letters_is_one_line(
    arguments: tuple[str, ...], line: str, home: Path, sources: list[Path], tmp_path: Path
) -> None:
    built = castline_here(home, "dataset", "build", *sources, "-o", tmp_path / "some", *arguments)
    assert built.returncode == 1
    assert one_line(built.stderr).startswith(line)
    assert list(tmp_path.iterdir()) == []


def test_stored_tags_have_labels_and_the_model_its_names(
    tagged: Tagged, version: ModelVersion
) -> None:
    asked = tagged.json("sql", "SELECT DISTINCT label FROM tag")
    assert {row["label"] for row in asked} == {*LABELS.values()}
    [row] = tagged.json("sql", "SELECT names FROM model_version")
    assert json.loads(row["names"]) == version.manifest.names
    if not tagged.settings:
        with rows_of(tagged.home) as connection:
            [(labels,)] = connection.execute("SELECT labels FROM model_version").fetchall()
        assert "милхаус" in labels


@pytest.mark.parametrize("name", LABELS)
def test_questions_take_a_name_or_a_label_and_answer_with_both(tagged: Tagged, name: str) -> None:
    label = LABELS[name]
    for asked in (name, label, name.upper()):
        assert {row["label"] for row in tagged.json("when", asked)} == {label}
        assert [row["label"] for row in tagged.json("first", asked)] == [label]
        assert [row["label"] for row in tagged.json("screen-time", "--label", asked)] == [label]
    [heading, row] = tagged.run("when", label).splitlines()
    assert heading.split()[3] == "character"
    assert name in row
    [_, row] = tagged.run("screen-time", "--label", name).splitlines()
    assert row.startswith(f"{name} ")


def test_who_is_on_screen_is_told_by_name(tagged: Tagged) -> None:
    shown = tagged.run("who", "episode")
    assert [name for line in shown.splitlines() for name in LABELS if name in line] == [*LABELS]
    assert {row["label"] for row in tagged.json("who", "episode")} == {*LABELS.values()}
    assert tagged.json("together", "Dr. Nick", "=1+1") == []
    nobody = castline_here(tagged.home, "together", "Dr. Nick", "a/b", **tagged.settings)
    assert one_line(nobody.stderr) == "Dr. Nick and a/b: never on screen together."


@pytest.mark.parametrize(
    ("asked", "answer"),
    [
        ("///", "castline: label: '///' has no letter or digit for a label"),
        ("Милхус", "castline: Милхус: no such label; did you mean милхаус?"),
        ("Dr. Nik", "castline: Dr. Nik: no such label; did you mean dr_nick?"),
    ],
)
def test_a_name_that_is_nobodys_is_one_line(tagged: Tagged, asked: str, answer: str) -> None:
    refused = castline_here(tagged.home, "when", asked, **tagged.settings)
    assert refused.returncode == 1
    assert one_line(refused.stderr).startswith(answer)


def test_exports_of_every_format_are_read_back(tagged: Tagged, tmp_path: Path) -> None:
    formats = [*READERS, "coco", "clips"]
    tagged.run("export", "episode", "-f", ",".join(formats), "-o", tmp_path)
    expected = [
        (row["label"], round(row["start_seconds"] * RATE), round(row["end_seconds"] * RATE))
        for row in json.loads((tmp_path / "episode.json").read_text("utf-8"))["ranges"]
    ]
    assert {label for label, _, _ in expected} == {*LABELS.values()}
    frames = Frames(RATE, [number / RATE for number in range(len(LABELS) * SECONDS * 24 + 1)])
    for name, read in READERS.items():
        path = tmp_path / f"episode{FORMATS[name].suffix}"
        found = [(label_of(who), start, end) for who, start, end in read(path, frames)]
        assert sorted(found) == sorted(expected), name
        by_name = {who for who, _, _ in read(path, frames)}
        assert by_name == {*(LABELS.values() if name in BY_LABEL else LABELS)}, name
    clips = sorted(path.name for path in (tmp_path / "episode.clips").iterdir())
    assert [clip.split("_", 1)[1].rsplit("_", 1)[0] for clip in clips] == [
        label for label, _, _ in expected
    ]


BY_LABEL = ("json", "html", "csv", "vtt", "rttm", "eaf", "parquet")
"""Formats whose readers here read labels; names stand beside them."""


def test_programs_read_labels_and_people_names(tagged: Tagged, tmp_path: Path) -> None:
    tagged.run("export", "episode", "-f", "json,csv,vtt,html,coco", "-o", tmp_path)
    ranges = json.loads((tmp_path / "episode.json").read_text("utf-8"))["ranges"]
    assert {row["name"]: row["label"] for row in ranges} == LABELS
    with (tmp_path / "episode.csv").open(encoding="utf-8", newline="") as lines:
        rows = list(csv.DictReader(lines))
    # a spreadsheet takes no cell for a formula
    assert {row["name"]: row["label"] for row in rows} == {
        ("'=1+1" if name == "=1+1" else name): label for name, label in LABELS.items()
    }
    assert not any(cell[:1] in ("=", "+", "-", "@") for row in rows for cell in row.values())
    page = (tmp_path / "episode.html").read_text("utf-8")
    assert all(f'<td dir="auto">{name}</td>' in page for name in LABELS)
    coco = json.loads((tmp_path / "episode.coco.json").read_text("utf-8"))
    assert {category["name"] for category in coco["categories"]} == {*LABELS.values()}


@pytest.mark.parametrize("form", ["csv", "rttm", "names"])
def test_a_truth_file_may_have_labels_or_names(tagged: Tagged, form: str, tmp_path: Path) -> None:
    tagged.run("export", "episode", "-f", "csv,rttm", "-o", tmp_path)
    truth = tmp_path / f"episode.{form}"
    if form == "names":
        names = {label: name for name, label in LABELS.items()}
        with (tmp_path / "episode.csv").open(encoding="utf-8", newline="") as lines:
            rows = list(csv.DictReader(lines))
        truth = tmp_path / "names.csv"
        with truth.open("w", encoding="utf-8", newline="") as file:
            writer = csv.writer(file)
            writer.writerow(("label", "start_seconds", "end_seconds"))
            writer.writerows(
                (names[row["label"]], row["start_seconds"], row["end_seconds"]) for row in rows
            )
    found = tagged.json("evaluate", "episode", truth)
    assert {*found["labels"]} == {*LABELS.values()}
    assert found["macro_f1"] == 1
    table = tagged.run("evaluate", "episode", truth)
    assert all(name in table for name in LABELS)


def test_a_truth_file_with_a_name_without_letters_is_one_line(
    tagged: Tagged, tmp_path: Path
) -> None:
    truth = tmp_path / "truth.csv"
    truth.write_text("label,start_seconds,end_seconds\n///,0,1\n", "utf-8")
    refused = castline_here(tagged.home, "evaluate", "episode", truth, **tagged.settings)
    assert refused.returncode == 1
    assert one_line(refused.stderr).startswith(f"castline: {truth}: '///' has no letter or digit")


@pytest.mark.parametrize("suffix", ["png", "svg"])
def test_a_plot_of_names_that_no_font_here_has_ends_well(
    tagged: Tagged, suffix: str, tmp_path: Path
) -> None:
    picture = tmp_path / f"episode.{suffix}"
    drawn = castline_here(tagged.home, "plot", "episode", "-o", picture, **tagged.settings)
    assert one_line(drawn.stderr) == f"Wrote {picture}"
    assert picture.stat().st_size > 0
