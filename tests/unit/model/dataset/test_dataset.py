"""A dataset's manifest believes nothing that does not fit together."""

import json
import os
from pathlib import Path
from typing import Any

import pytest

from model.dataset.folder import MANIFEST, SHARDS, STILLS, open_dataset
from model.dataset.table import read_table
from model.errors import DatasetError

HEX = "ab" * 32


def values() -> dict[str, Any]:
    counts = {"train": [2, 1], "validation": [1, 1], "test": [1, 1]}
    return {
        "labels": ["bart", "ned"],
        "counts": counts,
        "others": {},
        "others_are_kept": False,
        "split": "grouped",
        "seed": 0,
        "groups": 7,
        "test_with_train_twin": 0,
        "stored_side": 176,
        "fingerprint_sha256": HEX,
        "sources": ["/stills"],
        "shards": {
            part: [
                {
                    "name": f"{part}-00000-of-00001.tfrecord",
                    "records": sum(numbers),
                    "size_bytes": 4,
                    "sha256": HEX,
                }
            ]
            for part, numbers in counts.items()
        },
        "created_at": "2026-01-01T00:00:00+00:00",
        "format": 1,
    }


def write(folder: Path, content: str) -> Path:
    (folder / SHARDS).mkdir()
    for part in ("train", "validation", "test"):
        (folder / SHARDS / f"{part}-00000-of-00001.tfrecord").write_bytes(b"four")
    (folder / MANIFEST).write_text(content)
    return folder


def test_sound_manifest_is_read(tmp_path: Path) -> None:
    dataset = open_dataset(write(tmp_path, json.dumps(values())))
    assert dataset.manifest.labels == ("bart", "ned")
    assert [path.name for path in dataset.shard_paths("test")] == ["test-00000-of-00001.tfrecord"]


def test_manifest_of_a_dataset_with_boxes_is_read(tmp_path: Path) -> None:
    boxes = {"train": [3, 0], "validation": [0, 0], "test": [0, 1]}
    written = json.dumps(values() | {"boxes": boxes, "format": 2})
    dataset = open_dataset(write(tmp_path, written))
    assert dataset.manifest.boxes == {"train": (3, 0), "validation": (0, 0), "test": (0, 1)}
    assert json.loads(dataset.manifest.to_json())["boxes"] == boxes


def test_names_of_labels_are_read_and_older_datasets_have_none(tmp_path: Path) -> None:
    names = {"ned": "Ned Flanders"}
    manifest = open_dataset(write(tmp_path, json.dumps(values() | {"names": names}))).manifest
    assert (manifest.names["ned"], manifest.names["bart"]) == ("Ned Flanders", "bart")
    assert json.loads(manifest.to_json())["names"] == names
    (tmp_path / MANIFEST).write_text(json.dumps(values()))
    assert "names" not in json.loads(open_dataset(tmp_path).manifest.to_json())


@pytest.mark.parametrize(
    ("change", "message"),
    [
        ({"names": {"homer": "Homer"}}, "names are not names of its labels"),
        ({"names": {"ned": "N\x1bed"}}, "names are not names of its labels"),
        ({"names": None}, "not a dataset's manifest"),
        ({"names": 7}, "not a dataset's manifest"),
        ({"boxes": {"train": [1, 1]}, "format": 2}, "validation: boxes and labels do not fit"),
        ({"boxes": {part: [1] for part in ("train", "validation", "test")}, "format": 2}, "boxes"),
        ({"boxes": {"train": [1, 1]}}, "format 1 is not 1 without boxes, nor 2 with"),
        ({"boxes": None}, "not a dataset's manifest"),
        ({"format": 2}, "format 2 is not 1 without boxes"),
        ({"labels": ["bart"]}, "labels are not"),
        ({"labels": ["bart", "bart"]}, "labels are not"),
        ({"split": "odd"}, "split or fingerprint"),
        ({"counts": {"train": [3, 0]}}, "counts and shards are not of"),
        ({"counts": {"train": [9, 9], "validation": [1, 1], "test": [1, 1]}}, "train: counts"),
        ({"counts": {"train": [float("inf")]}}, "not a dataset's manifest"),
        (
            {
                "counts": {part: [0, 0] for part in ("train", "validation", "test")},
                "shards": {part: [] for part in ("train", "validation", "test")},
            },
            "a part has no shards",
        ),
        ({"shards": None}, "not a dataset's manifest"),
        ({"stored_side": 100_000}, "stored_side 100000 is not 1 to 1024"),
        ({"stored_side": 0}, "stored_side 0 is not"),
        ({"stored_side": "176"}, "not a dataset's manifest"),
        ({"extra": 1}, "other fields"),
    ],
)
def test_manifest_that_does_not_fit_is_refused(
    tmp_path: Path, change: dict[str, Any], message: str
) -> None:
    with pytest.raises(DatasetError, match=message):
        open_dataset(write(tmp_path, json.dumps(values() | change)))


@pytest.mark.parametrize("content", ["", "{", "[]", "null", '"x"', "[" * 100_000])
def test_what_is_no_manifest_is_refused(tmp_path: Path, content: str) -> None:
    with pytest.raises(DatasetError, match="build the dataset again"):
        open_dataset(write(tmp_path, content))


def test_a_named_pipe_in_place_of_a_manifest_is_refused(tmp_path: Path) -> None:
    write(tmp_path, "").joinpath(MANIFEST).unlink()
    os.mkfifo(tmp_path / MANIFEST)
    with pytest.raises(DatasetError, match="is not a regular file"):
        open_dataset(tmp_path)


def test_a_named_pipe_in_place_of_the_table_is_refused(tmp_path: Path) -> None:
    dataset = open_dataset(write(tmp_path, json.dumps(values())))
    os.mkfifo(tmp_path / STILLS)
    with pytest.raises(DatasetError, match="gone or damaged"):
        read_table(dataset)


def test_shard_name_that_leads_elsewhere_is_refused(tmp_path: Path) -> None:
    changed = values()
    changed["shards"]["train"][0]["name"] = "../train-00000-of-00001.tfrecord"
    with pytest.raises(DatasetError, match="not a shard's name"):
        open_dataset(write(tmp_path, json.dumps(changed)))


def test_shard_that_is_gone_or_cut_off_is_named(tmp_path: Path) -> None:
    folder = write(tmp_path, json.dumps(values()))
    shard = folder / SHARDS / "validation-00000-of-00001.tfrecord"
    shard.write_bytes(b"cut")
    with pytest.raises(DatasetError, match=r"validation-00000.*damaged shard \(3 bytes of 4\)"):
        open_dataset(folder)
    shard.unlink()
    with pytest.raises(DatasetError, match=r"validation-00000.*\(gone\)"):
        open_dataset(folder)


def test_folder_that_is_no_dataset_says_how_to_make_one(tmp_path: Path) -> None:
    with pytest.raises(DatasetError, match="castline dataset build"):
        open_dataset(tmp_path)
