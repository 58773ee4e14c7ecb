"""Building a dataset of folders and boxes: what its records, tables and pictures say."""

import csv
import hashlib
import json
import shutil
from collections import Counter
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from PIL import Image

from castline.composing.composition import Composition
from model.dataset.build import build_dataset
from model.dataset.folder import Dataset, open_dataset
from model.dataset.plan import BuildOptions
from model.dataset.shards import Record, read_part, write_shards
from model.dataset.split import PARTS
from model.dataset.stills import Stills
from model.errors import DatasetError
from model.inference.tensorflow_runtime import load_tensorflow
from model.pictures.boxes import Box
from model.rehearsal.shot_pictures import Layout
from model.stills.choice import Choice
from tests.servers.commands import castline_here, one_line
from tests.stills.still_folders import blobs, write_stills

pytestmark = pytest.mark.integration

FRAMES = 12
"""Whole frames, each of a pear on the left and a fig, which is smaller, on the right."""


@pytest.fixture(scope="module")
def sources(tmp_path_factory: pytest.TempPathFactory) -> list[Path]:
    """Labels' folders, boxes in three of their stills, and frames that boxes alone know."""
    folder = tmp_path_factory.mktemp("sources")
    write_stills(folder / "stills", {"apple": 20, "pear": 20, "fig": 20})
    lines = ["path,left,top,right,bottom,label"]
    lines += [f"stills/apple/pic_{n:04}.png,0.125,0.25,0.5,0.75,apple" for n in range(3)]
    lines += ["stills/apple/pic_0000.png,0.5,0.25,0.75,0.5,pear"]
    lines += ["stills/apple/pic_0001.png,0.5,0.25,0.55,0.3,pear"]  # 4 px wide, 3 px high
    lines += ["stills/apple/pic_9999.png,0,0,1,1,apple"]
    (folder / "boxes.csv").write_text("\n".join(lines))
    frames = folder / "frames"
    frames.mkdir()
    lines = ["path,left,top,right,bottom,label"]
    for number in range(FRAMES):
        picture = Image.fromarray(blobs(700_000 + number, 480, 640))
        picture.save(frames / f"{number}.png")
        lines += [f"{number}.png,0.1,0.1,0.4,0.9,pear", f"{number}.png,0.6,0.5,0.8,0.7,Fig"]
    lines += [f"{number}.png,0.9,0.1,0.95,0.2,unknown" for number in range(4)]
    (frames / "boxes.csv").write_text("\n".join(lines))
    return [folder / "stills", folder / "boxes.csv", frames / "boxes.csv"]


@pytest.fixture(scope="module")
def dataset(sources: list[Path], tmp_path_factory: pytest.TempPathFactory) -> Dataset:
    return build_dataset(
        sources, tmp_path_factory.mktemp("built") / "fruit", BuildOptions(shards=2)
    )


def records(dataset: Dataset) -> list[Record]:
    return [record for part in PARTS for record in read_part(dataset.shard_paths(part))]


def test_records_say_who_is_where(dataset: Dataset) -> None:
    assert dataset.manifest.labels == ("apple", "fig", "pear", "unknown")
    assert dataset.manifest.format == 2
    by_source = {record.source.split("/", 1)[1]: record for record in records(dataset)}
    assert len(by_source) == 60 + FRAMES
    apple = by_source["apple/pic_0000.png"]
    assert (apple.label, apple.labels, apple.box_numbers) == ("apple", (0, 2), (0, 2))
    assert apple.boxes == (
        Box("apple", 0.125, 0.25, 0.5, 0.75),
        Box("pear", 0.5, 0.25, 0.75, 0.5),
    )
    assert not apple.all_boxed
    assert len(by_source["apple/pic_0001.png"].boxes) == 1
    plain = by_source["fig/pic_0003.png"]
    assert (plain.labels, plain.boxes, plain.all_boxed) == ((1,), (), False)
    frame = by_source["0.png"]
    assert (frame.label, frame.labels, frame.all_boxed) == ("pear", (1, 2, 3), True)
    # shares of six decimals come back exactly
    assert frame.boxes[1] == Box("fig", 0.6, 0.5, 0.8, 0.7)
    assert frame.boxes[2] == Box("unknown", 0.9, 0.1, 0.95, 0.2)


def test_any_tensorflow_program_reads_the_boxes(dataset: Dataset) -> None:
    tensorflow = load_tensorflow()
    found = Counter[tuple[bytes, int]]()
    for part in PARTS:
        for path in dataset.shard_paths(part):
            for content in tensorflow.data.TFRecordDataset(str(path)).as_numpy_iterator():
                feature = tensorflow.train.Example.FromString(content).features.feature
                names = feature["box_name"].bytes_list.value
                lefts = feature["box_left"].float_list.value
                assert len(names) == len(lefts)
                found.update(zip(names, feature["box_label"].int64_list.value, strict=True))
    assert found == {
        (b"apple", 0): 3,
        (b"fig", 1): FRAMES,
        (b"pear", 2): FRAMES + 1,
        (b"unknown", 3): 4,
    }


def test_unpacked_stills_have_their_boxes(dataset: Dataset) -> None:
    whole = 0
    for part in PARTS:
        stills = Stills.unpack(dataset, part)
        expected = list(read_part(dataset.shard_paths(part)))
        assert len(stills) == len(expected)
        assert stills.label_sets == tuple(record.labels for record in expected)
        assert stills.all_boxed.tolist() == [record.all_boxed for record in expected]
        for index, record in enumerate(expected):
            rows = [
                (number, *box.corners)
                for number, box in zip(record.box_numbers, record.boxes, strict=True)
            ]
            found = stills.boxes(index)
            assert found.dtype == np.float32
            np.testing.assert_array_equal(found, np.array(rows, np.float32).reshape(-1, 5))
            if record.all_boxed:  # 640x480, kept no larger than 320
                assert stills.picture(index).shape == (240, 320, 3)
                whole += 1
            else:
                assert stills.picture(index).shape == (60, 80, 3)
    assert whole == FRAMES


def test_report_and_table_list_boxes(dataset: Dataset, sources: list[Path]) -> None:
    report = json.loads((dataset.folder / "report.json").read_text())
    assert report["wrong_box_counts"] == {"no picture": 1, "too small": 1}
    missing, small = report["wrong_boxes"]
    assert missing["file"] == str(sources[1])
    assert (missing["where"], missing["picture"]) == ("line 7", "stills/apple/pic_9999.png")
    assert (small["where"], small["label"], small["box"]) == (
        "line 6",
        "pear",
        [0.5, 0.25, 0.55, 0.3],
    )
    with (dataset.folder / "stills.csv").open(newline="") as file:
        rows = {row["source"].split("/", 1)[1]: row for row in csv.DictReader(file)}
    assert rows["0.png"]["labels"] == "fig pear unknown"
    assert [rows["0.png"][name] for name in ("label", "boxes", "all_boxed")] == ["pear", "3", "1"]
    assert [rows["fig/pic_0003.png"][name] for name in ("labels", "boxes", "all_boxed")] == [
        "fig",
        "0",
        "0",
    ]


def test_contact_sheet_shows_boxes_with_room_for_their_labels(dataset: Dataset) -> None:
    with Image.open(dataset.folder / "contact_sheet.png") as sheet:
        assert sheet.size == (208 + 6 * 176, 4 * 176)
        # the last row is of frames with a stranger, whose frame is grey
        row = np.asarray(sheet.convert("RGB"))[3 * 176 :, 208 : 208 + 176]
    assert (row == (90, 90, 90)).all(axis=-1).any()
    assert (row == (204, 51, 17)).all(axis=-1).any()


def test_show_counts_boxes_and_pictures_by_boxes(dataset: Dataset, tmp_path: Path) -> None:
    answer = json.loads(castline_here(tmp_path, "dataset", "show", dataset.folder, "--json").stdout)
    boxes = np.array([answer["boxes"][part] for part in PARTS])
    assert boxes.sum(axis=0).tolist() == [3, FRAMES, FRAMES + 1, 4]
    assert answer["stills_by_boxes"] == {
        "none": 57,
        "one": 2,
        "two": 1 + FRAMES - 4,
        "three_or_more": 4,
        "all_boxed": FRAMES,
    }
    shown = castline_here(tmp_path, "dataset", "show", dataset.folder)
    said = "Stills with one box 2, two 9, three or more 4, none 57; in 12 everybody has one"
    assert said in " ".join(shown.stderr.split())
    assert ["pear", "13"] in [line.split()[:2] for line in shown.stdout.splitlines()]


def test_boxes_are_part_of_the_fingerprint(
    dataset: Dataset, sources: list[Path], tmp_path: Path
) -> None:
    def fingerprint(name: str, *chosen: Path, **wish: Any) -> str:
        options = BuildOptions(choice=Choice(**wish), shards=1)
        built = build_dataset(chosen, tmp_path / name, options)
        return built.manifest.fingerprint_sha256

    whole = dataset.manifest.fingerprint_sha256
    assert fingerprint("again", *sources[::-1]) == whole
    assert fingerprint("fewer", *sources[::2]) != whole
    without = build_dataset(sources[:1], tmp_path / "bare", BuildOptions(shards=1))
    assert without.manifest.format == 1
    assert "boxes" not in json.loads((tmp_path / "bare/dataset.json").read_text())
    # sha256 of the sorted lines `label sha256`, as before there were boxes
    with (tmp_path / "bare/stills.csv").open(newline="") as file:
        rows = sorted(f"{row['label']} {row['sha256']}\n" for row in csv.DictReader(file))
    assert without.manifest.fingerprint_sha256 == hashlib.sha256("".join(rows).encode()).hexdigest()


def test_others_that_are_dropped_take_their_boxes_along(
    sources: list[Path], tmp_path: Path
) -> None:
    choice = Choice(labels=("apple", "pear"), others="drop")
    built = build_dataset(sources, tmp_path / "two", BuildOptions(choice=choice, shards=1))
    assert built.manifest.labels == ("apple", "pear")
    frames = [record for record in records(built) if record.all_boxed]
    assert len(frames) == FRAMES
    assert {tuple(box.label for box in record.boxes) for record in frames} == {("pear",)}


def test_boxes_without_any_folder_make_a_dataset(sources: list[Path], tmp_path: Path) -> None:
    done = castline_here(tmp_path, "dataset", "build", sources[2], "-o", tmp_path / "frames")
    assert done.returncode == 0, done.stderr
    manifest = open_dataset(tmp_path / "frames").manifest
    # a fig is never the larger one, and yet a label
    assert manifest.labels == ("fig", "pear", "unknown")
    assert sum(map(sum, manifest.counts.values())) == FRAMES


def test_boxes_of_no_use_are_one_line_and_leave_nothing(tmp_path: Path) -> None:
    (tmp_path / "boxes.csv").write_text("x,y\n1,2\n")
    done = castline_here(tmp_path, "dataset", "build", tmp_path / "boxes.csv", "-o", tmp_path / "d")
    assert done.returncode == 1
    assert "begin it with the line path,left,top,right,bottom,label" in one_line(done.stderr)
    assert [path.name for path in tmp_path.iterdir()] == ["boxes.csv"]


def test_box_of_a_label_that_does_not_exist_is_a_damaged_shard(
    dataset: Dataset, tmp_path: Path
) -> None:
    folder = tmp_path / "spoilt"
    shutil.copytree(dataset.folder, folder)
    spoilt = [
        replace(
            record, labels=(*record.labels, 9), boxes=(Box("plum", 0, 0, 1, 1),), box_numbers=(9,)
        )
        for record in read_part(dataset.shard_paths("train"))
    ]
    shards = write_shards(folder / "shards", "train", 2, spoilt)
    manifest = replace(dataset.manifest, shards={**dataset.manifest.shards, "train": shards})
    with pytest.raises(DatasetError, match=r"train-00000-of-00002.*label number 9 of 4 labels"):
        Stills.unpack(Dataset(folder, manifest), "train")


def test_episodes_are_composed_of_stills_that_show_one_label(dataset: Dataset) -> None:
    layout = Layout(320, 240)
    alone = Counter[str]()
    for part in PARTS:
        alone.update(Composition(dataset, part, (), layout, seconds=10, seed=0).stills)
    # all of the folders' but the apple with a pear beside it; frames show two and more
    assert alone == {"apple": 19, "pear": 20, "fig": 20}
