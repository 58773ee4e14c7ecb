"""Building a dataset: what is in it, what is left out, and what a kill does."""

import csv
import json
import os
import re
import shutil
import subprocess
import sys
from collections import Counter
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from PIL import Image

from model.dataset.build import build_dataset
from model.dataset.folder import Dataset, open_dataset
from model.dataset.pages import near_duplicates
from model.dataset.plan import BuildOptions
from model.dataset.split import PARTS
from model.errors import DatasetError
from model.inference.tensorflow_runtime import load_tensorflow
from model.stills.choice import Choice
from tests.servers.commands import castline_here, one_line
from tests.servers.processes import still_running, tree_of
from tests.stills.still_folders import blobs, write_stills

pytestmark = pytest.mark.integration

COUNTS = {"apple": 40, "pear": 30, "fig": 20}


@pytest.fixture(scope="module")
def sources(tmp_path_factory: pytest.TempPathFactory) -> list[Path]:
    """Two sources, with everything that may be wrong with a file."""
    first = write_stills(tmp_path_factory.mktemp("sources") / "first", COUNTS, twins_of="pear")
    second = first.with_name("second")
    for label in COUNTS:
        (second / "test" / label).mkdir(parents=True)
    (second / "test/apple/notes.jpg").write_text("not a picture")
    (second / "test/apple/half.png").write_bytes((first / "apple/pic_0001.png").read_bytes()[:300])
    shutil.copy(first / "apple/pic_0000.png", second / "test/apple/again.jpg")
    large = Image.fromarray(blobs(999_999, 300, 400))
    large.save(second / "test/apple/large.bmp")
    large.save(second / "test/apple/large_in_both.png")
    large.save(second / "test/fig/large_in_both.png")
    Image.fromarray(blobs(888_888)).convert("CMYK").save(second / "test/fig/print.jpeg", "JPEG")
    return [first, second]


@pytest.fixture(scope="module")
def dataset(sources: list[Path], tmp_path_factory: pytest.TempPathFactory) -> Dataset:
    options = BuildOptions(shards=4, seed=3, processes=2)
    return build_dataset(sources, tmp_path_factory.mktemp("built") / "fruit", options)


def records_of(dataset: Dataset, part: str) -> list[dict[str, Any]]:
    """What TensorFlow itself reads from the files that lie there."""
    tensorflow = load_tensorflow()
    paths = sorted((dataset.folder / "shards").glob(f"{part}-*.tfrecord"))
    found = []
    for content in tensorflow.data.TFRecordDataset([str(path) for path in paths]):
        features = tensorflow.train.Example.FromString(content.numpy()).features.feature
        found.append(
            {
                name: (value.int64_list.value or value.bytes_list.value)[0]
                for name, value in features.items()
            }
        )
    return found


def test_shards_hold_every_still_once_as_it_was_drawn(
    dataset: Dataset, sources: list[Path]
) -> None:
    tensorflow = load_tensorflow()
    found = [record for part in PARTS for record in records_of(dataset, part)]
    names = [record["name"].decode() for record in found]
    assert Counter(names) == {"apple": 41, "pear": 60, "fig": 21}
    assert {int(record["label"]): name for record, name in zip(found, names, strict=True)} == {
        0: "apple",
        1: "fig",
        2: "pear",
    }
    assert len({record["source"] for record in found}) == len(found)
    for record in found:
        source = sources[0].parent / record["source"].decode()
        stored = tensorflow.io.decode_png(record["image"]).numpy()
        if source.suffix == ".png":
            np.testing.assert_array_equal(stored, np.asarray(Image.open(source)))
        if source.name == "large.bmp":
            assert stored.shape == (240, 320, 3)


def test_split_follows_the_rule_and_parts_no_group(dataset: Dataset) -> None:
    parts: dict[int, set[str]] = {}
    for part in PARTS:
        records = records_of(dataset, part)
        assert {record["split"].decode() for record in records} == {part}
        for record in records:
            parts.setdefault(int(record["group"]), set()).add(part)
    assert {len(where) for where in parts.values()} == {1}
    # ceil(0.1 n) to test, ceil(0.2 of the rest) to validate; twins make pears come in pairs
    manifest = dataset.manifest
    assert [manifest.counts[part][:2] for part in PARTS] == [(28, 14), (8, 4), (5, 3)]
    assert [manifest.counts[part][2] for part in PARTS] == [
        pytest.approx(n, abs=1) for n in (43, 11, 6)
    ]
    assert manifest.groups == 41 + 21 + 30
    assert manifest.test_with_train_twin == 0


def test_report_lists_what_was_left_out_and_why(dataset: Dataset) -> None:
    report = json.loads((dataset.folder / "report.json").read_text())
    listed = {
        "/".join(Path(item["path"]).parts[-2:]): (item["kind"], item["reason"])
        for item in report["left_out"]
    }
    assert {name: kind for name, (kind, _) in listed.items()} == {
        "apple/notes.jpg": "unreadable",
        "apple/half.png": "unreadable",
        "apple/again.jpg": "duplicate",
        "apple/large_in_both.png": "two labels",
        "fig/large_in_both.png": "two labels",
    }
    assert "not a JPEG" in listed["apple/notes.jpg"][1]
    assert "apple/pic_0000.png" in listed["apple/again.jpg"][1]
    assert report["used"] == 122


@pytest.mark.parametrize("stray", ["README.txt", "fruit/Thumbs.db", "test/notes 2.txt"])
def test_stray_file_that_is_no_picture_is_left_out_wherever_it_lies(
    tmp_path: Path, stray: str
) -> None:
    source = write_stills(tmp_path / "stills" / "fruit", {"apple": 5, "pear": 5}).parent
    (source / stray).parent.mkdir(exist_ok=True)
    (source / stray).write_text("not a picture")
    dataset = build_dataset([source], tmp_path / "dataset", BuildOptions(shards=1))
    assert dataset.manifest.labels == ("apple", "pear")
    [left_out] = json.loads((dataset.folder / "report.json").read_text())["left_out"]
    assert Path(left_out["path"]) == source / stray
    assert left_out["kind"] == "unreadable"


def test_folder_holds_a_table_of_all_stills_and_two_sheets(dataset: Dataset) -> None:
    with (dataset.folder / "stills.csv").open(newline="") as file:
        rows = list(csv.DictReader(file))
    assert Counter(row["label"] for row in rows) == {"apple": 41, "pear": 60, "fig": 21}
    for name, rows_shown in (("contact_sheet.png", 3), ("near_duplicates.png", 30)):
        with Image.open(dataset.folder / name) as sheet:
            assert sheet.height == rows_shown * 88
    assert not list(dataset.folder.parent.glob(".*"))


def test_random_split_counts_the_twins_that_leak(sources: list[Path], tmp_path: Path) -> None:
    built = build_dataset(sources[:1], tmp_path / "leaky", BuildOptions(split="random", shards=2))
    assert [built.manifest.counts[part] for part in PARTS] == [(28, 14, 43), (8, 4, 11), (4, 2, 6)]
    group_of_train = {int(record["group"]) for record in records_of(built, "train")}
    leaked = [r for r in records_of(built, "test") if int(r["group"]) in group_of_train]
    assert built.manifest.test_with_train_twin == len(leaked) > 0


def test_labels_that_are_not_chosen_become_unknown_or_go(
    sources: list[Path], tmp_path: Path
) -> None:
    for others, labels in (("keep", ("apple", "pear", "unknown")), ("drop", ("apple", "pear"))):
        options = BuildOptions(choice=Choice(top=2, others=others), shards=1)
        manifest = build_dataset(sources[:1], tmp_path / others, options).manifest
        assert manifest.labels == labels
        assert manifest.others == {"fig": 20}
        assert sum(map(sum, manifest.counts.values())) == (120 if others == "keep" else 100)


def test_labels_that_are_wished_away_are_in_no_set_and_each_file_is_listed(
    tmp_path: Path,
) -> None:
    source = write_stills(tmp_path / "stills", {"apple": 6, "pear": 6, "fig": 5, "plum": 4})
    output = tmp_path / "dataset"
    run = castline_here(
        tmp_path,
        *("dataset", "build", str(source), "-o", str(output)),
        *("--labels", "apple,pear", "--without", "plum"),
    )
    assert run.returncode == 0, run.stderr
    lines = list(csv.DictReader((output / "stills.csv").open()))
    assert Counter(line["label"] for line in lines) == {"apple": 6, "pear": 6, "unknown": 5}
    left_out = json.loads((output / "report.json").read_text())["left_out"]
    assert sorted(Path(item["path"]).name for item in left_out) == [
        f"pic_{number:04}.png" for number in range(4)
    ]
    assert {Path(item["path"]).parent.name for item in left_out} == {"plum"}


def test_same_stills_and_seed_make_the_same_shards_whatever_the_processes(
    dataset: Dataset, sources: list[Path], tmp_path: Path
) -> None:
    again = build_dataset(sources, tmp_path / "again", BuildOptions(shards=4, seed=3))
    assert again.manifest.shards == dataset.manifest.shards
    other = build_dataset(sources, tmp_path / "other", BuildOptions(shards=4, seed=4))
    assert other.manifest.shards != dataset.manifest.shards
    assert other.manifest.fingerprint_sha256 == dataset.manifest.fingerprint_sha256


def test_fields_of_a_record_lie_in_one_order_in_all_processes(dataset: Dataset) -> None:
    # protobuf's own order is drawn by lot in each process: this one's is sorted once in 5040 times
    tensorflow = load_tensorflow()
    fields = ["group", "image", "label", "name", "sha256", "source", "split"]
    for path in (dataset.folder / "shards").iterdir():
        for content in tensorflow.data.TFRecordDataset(str(path)).as_numpy_iterator():
            entries = [b"\n%c%s" % (len(field), field.encode()) for field in fields]
            places = [content.index(entry) for entry in entries]
            assert places == sorted(places)


BUILD_UNTIL_SOME_ARE_READ = """
import sys
from pathlib import Path
from model.dataset.build import build_dataset
from model.dataset.plan import BuildOptions

def wait_when_some_are_read(step, done, total):
    if step == "Reading stills" and 0 < done < total:
        print("some are read", flush=True)
        sys.stdin.read()

if __name__ == "__main__":
    options = BuildOptions(shards=2, processes=2)
    build_dataset([Path(sys.argv[1])], Path(sys.argv[2]), options, wait_when_some_are_read)
"""


def test_killed_build_goes_on_where_it_was_and_leaves_no_process(tmp_path: Path) -> None:
    source = write_stills(tmp_path / "stills", {"apple": 200, "pear": 200})
    output = tmp_path / "dataset"
    script = tmp_path / "build.py"
    script.write_text(BUILD_UNTIL_SOME_ARE_READ)
    with subprocess.Popen(
        [sys.executable, str(script), str(source), str(output)],
        env=os.environ | {"PYTHONPATH": str(Path(__file__).parents[3])},
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
    ) as process:
        assert process.stdout is not None
        assert process.stdout.readline() == b"some are read\n"
        tree = tree_of(process.pid)
        process.kill()
    assert len(tree) >= 3
    assert not output.exists()
    assert still_running(tree) == []

    told: list[tuple[str, int, int]] = []
    options = BuildOptions(shards=2)
    built = build_dataset([source], output, options, lambda *step: told.append(step))
    assert 0 < told[0][1] < told[0][2] == 400  # what was read before is not read again
    whole = build_dataset([source], tmp_path / "whole", options)
    assert built.manifest.shards == whole.manifest.shards
    assert [path.name for path in tmp_path.iterdir() if path.name.startswith(".")] == []


def test_file_that_changed_since_a_killed_build_is_read_again(tmp_path: Path) -> None:
    source = write_stills(tmp_path / "stills", {"apple": 10, "pear": 10})
    output = tmp_path / "dataset"

    def stop(step: str, done: int, total: int) -> None:
        if step == "Writing shards":
            raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        build_dataset([source], output, BuildOptions(shards=1), stop)
    Image.fromarray(blobs(777_777)).save(source / "apple/pic_0003.png")
    told: list[tuple[str, int, int]] = []
    build_dataset([source], output, BuildOptions(shards=1), lambda *step: told.append(step))
    assert told[0] == ("Reading stills", 19, 20)


def test_full_disk_is_one_line_and_what_was_read_is_kept(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    source = write_stills(tmp_path / "stills", {"apple": 10, "pear": 10})
    tensorflow = load_tensorflow()

    def full(_writer: object, _record: bytes) -> None:
        raise tensorflow.errors.ResourceExhaustedError(None, None, "No space left on device")

    with monkeypatch.context() as patch:
        patch.setattr(tensorflow.io.TFRecordWriter, "write", full)
        with pytest.raises(DatasetError, match="No space left on device") as caught:
            build_dataset([source], tmp_path / "dataset", BuildOptions(shards=1))
    assert str(tmp_path) in str(caught.value)
    assert "make room" in str(caught.value)
    told: list[tuple[str, int, int]] = []
    build_dataset(
        [source], tmp_path / "dataset", BuildOptions(shards=1), lambda *step: told.append(step)
    )
    assert told[0] == ("Reading stills", 20, 20)


def test_two_builds_at_one_place_do_not_mix(tmp_path: Path) -> None:
    source = write_stills(tmp_path / "stills", {"apple": 10, "pear": 10})

    def build_too(step: str, _done: int, _total: int) -> None:
        if step == "Looking for near-duplicates":
            with pytest.raises(DatasetError, match="another build uses it"):
                build_dataset([source], tmp_path / "dataset")

    build_dataset([source], tmp_path / "dataset", BuildOptions(shards=1), build_too)


@pytest.mark.parametrize(
    ("counts", "message"),
    [
        ({}, r"stills: 0 labels with pictures; give a folder each for 2 or more"),
        ({"apple": 5}, r"stills: 1 labels with pictures \(apple\); give a folder each"),
        ({"apple": 5, "pear": 2}, r"stills: fewer than 3 pictures of pear; add some, or remove"),
    ],
)
def test_stills_that_make_no_dataset_are_one_line_and_leave_nothing(
    tmp_path: Path, counts: dict[str, int], message: str
) -> None:
    source = write_stills(tmp_path / "stills", counts)
    source.mkdir(exist_ok=True)
    done = castline_here(tmp_path, "dataset", "build", source, "-o", tmp_path / "dataset")
    assert done.returncode == 1
    assert re.search(message, one_line(done.stderr))
    assert [path.name for path in tmp_path.iterdir()] == ["stills"]


def test_dataset_never_changes(dataset: Dataset, sources: list[Path]) -> None:
    with pytest.raises(DatasetError, match="exists, and a dataset never changes"):
        build_dataset(sources, dataset.folder)


def test_label_whose_stills_are_all_alike_is_trained_with_and_named(tmp_path: Path) -> None:
    source = write_stills(tmp_path / "stills", {"apple": 20, "pear": 20})
    (source / "fig").mkdir()
    for number in range(3):
        picture = Image.fromarray(blobs(555_555, 60 + number, 80))
        picture.save(source / "fig" / f"{number}.png")
    output = tmp_path / "dataset"
    built = castline_here(tmp_path, "dataset", "build", source, "-o", output, "--shards", "1")
    assert built.returncode == 0, built.stderr
    manifest = open_dataset(output).manifest
    assert [manifest.counts[part][manifest.labels.index("fig")] for part in PARTS] == [3, 0, 0]
    # and it is said that nobody will know how well
    warnings = [line for line in built.stderr.splitlines() if line.startswith("No ")]
    assert [line.split(":")[0] for line in warnings] == [
        "No validation stills of fig",
        "No test stills of fig",
    ]
    assert all("add stills of other scenes" in line for line in warnings)


def test_show_says_what_is_there(dataset: Dataset, tmp_path: Path) -> None:
    shown = castline_here(tmp_path, "dataset", "show", dataset.folder)
    assert shown.returncode == 0
    rows = {line.split()[0]: line.split()[1:] for line in shown.stdout.splitlines() if line}
    assert rows["apple"] == ["41", "28", "8", "5"]
    assert rows["total"][0] == "122"
    assert "30 groups of near-duplicates with 60 stills" in shown.stderr
    answer = json.loads(castline_here(tmp_path, "dataset", "show", dataset.folder, "--json").stdout)
    assert answer["labels"] == ["apple", "fig", "pear"]
    assert len(answer["near_duplicates"]) == 30
    assert castline_here(tmp_path, "dataset", "show", tmp_path).returncode == 1


def test_table_of_stills_that_was_cut_off_anywhere_is_named(
    dataset: Dataset, tmp_path: Path
) -> None:
    damaged = replace(dataset, folder=Path(shutil.copytree(dataset.folder, tmp_path / "damaged")))
    table = damaged.folder / "stills.csv"
    content = table.read_bytes()
    last_line = content.splitlines()[-1]
    for kept in range(len(last_line)):
        table.write_bytes(content[: kept - len(last_line) - 1])
        with pytest.raises(DatasetError, match=r"stills\.csv: gone or damaged"):
            list(near_duplicates(damaged))
    shown = castline_here(tmp_path, "dataset", "show", damaged.folder)
    assert "stills.csv: gone or damaged" in one_line(shown.stderr)


def test_content_decides_what_a_file_is_whatever_its_name(tmp_path: Path) -> None:
    source = write_stills(tmp_path / "stills", {"apple": 5, "pear": 5})
    (source / "apple/pic_0000.png").rename(source / "apple/pic_0000.JPG")
    (source / "pear/pic_0000.png").rename(source / "pear/pic_0000.gif")
    built = build_dataset([source], tmp_path / "dataset", BuildOptions(shards=1))
    assert sum(map(sum, built.manifest.counts.values())) == 10
    assert json.loads((built.folder / "report.json").read_text())["left_out"] == []
