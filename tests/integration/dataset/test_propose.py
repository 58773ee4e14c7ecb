"""Whole frames with proposed boxes: which come first, what the file says, and who reads it."""

import json
import math
from collections.abc import Iterator
from itertools import pairwise
from pathlib import Path
from typing import Any

import pytest
from PIL import Image
from pycocotools.coco import COCO

from ingest.decoder.parent import Decoder
from model.inference.classifier import Classifier
from model.stills.sources import find_sources
from tests.servers.commands import castline_here, one_line
from tests.stills.models import write_model_by_lot
from tests.video import seen_colours
from tests.video.seen_colours import HEIGHT, LABELS, NAME, SHOTS, WIDTH, shot_at

pytestmark = pytest.mark.integration

FILE = "_annotations.coco.json"
BY_WORTH = ("doubtful", "crowd", "sure")
"""At least 0.94, then 2/3, then under 0.1; a frame of nobody is not worth anything."""


@pytest.fixture(scope="module")
def home(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Path]:
    home = tmp_path_factory.mktemp("propose")
    write_model_by_lot(home / "models")
    seen_colours.write_colours(home / "models")
    seen_colours.write_episode(home / "Épi sode.mp4")
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(Classifier, "load", staticmethod(seen_colours.load_colours))
        yield home


@pytest.fixture(scope="module")
def proposed(home: Path) -> Path:
    assert propose(home, home / "proposed")[0] == 0
    return home / "proposed"


def propose(home: Path, output: Path, *options: str | Path, model: str = NAME) -> tuple[int, str]:
    done = castline_here(
        home, "dataset", "propose", home / "Épi sode.mp4", "-o", output, "--model", model, *options
    )
    return done.returncode, done.stderr


def contents(folder: Path) -> dict[str, bytes]:
    return {str(path): path.read_bytes() for path in folder.rglob("*") if path.is_file()}


def document(folder: Path) -> dict[str, Any]:
    read: dict[str, Any] = json.loads((folder / FILE).read_text("utf-8"))
    return read


def test_boxes_are_where_the_episode_shows_somebody(proposed: Path) -> None:
    coco = COCO(proposed / FILE)
    assert [item["name"] for item in coco.loadCats(coco.getCatIds())] == list(LABELS)
    assert len(coco.getImgIds()) >= 90 / 10 * 0.4  # three frames in four show somebody
    for image in coco.loadImgs(coco.getImgIds()):
        with Image.open(proposed / image["file_name"]) as picture:
            assert (picture.format, picture.size) == ("JPEG", (WIDTH, HEIGHT))
        assert (image["width"], image["height"]) == (WIDTH, HEIGHT)
        assert image["episode"] == "Épi sode.mp4"
        found = {
            coco.cats[item["category_id"]]["name"]: item
            for item in coco.loadAnns(coco.getAnnIds([image["id"]]))
        }
        expected = {block.label: block for block in SHOTS[shot_at(image["seconds"])]}
        assert found.keys() == expected.keys()
        for label, block in expected.items():
            left, top, width, height = found[label]["bbox"]
            assert (left, top, left + width, top + height) == pytest.approx(block[2:], abs=2.5)
            surety = 1 / (1 + math.exp(-(block.brightness - 128) / 32))
            assert found[label]["score"] == pytest.approx(surety, abs=0.05)


def test_most_doubtful_and_most_crowded_frames_come_first(proposed: Path) -> None:
    images = document(proposed)["images"]
    ranks = [BY_WORTH.index(shot_at(image["seconds"])) for image in images]
    assert ranks == sorted(ranks)
    assert len(set(ranks)) > 1
    names = [image["file_name"] for image in images]
    assert names == sorted(names) == sorted(path.name for path in proposed.glob("*.jpg"))
    assert names[0].startswith("0001__pi_sode_00-0")


def test_doubt_is_measured_by_the_thresholds_that_were_set(home: Path, tmp_path: Path) -> None:
    options = ("--model", NAME, "--label", "birch", "--onset", "0.06", "--offset", "0.05")
    assert castline_here(home, "thresholds", "set", *options).returncode == 0
    assert propose(home, tmp_path / "out")[0] == 0
    assert castline_here(home, "thresholds", "reset", "--model", NAME).returncode == 0
    found = [shot_at(image["seconds"]) for image in document(tmp_path / "out")["images"]]
    by_worth = ("crowd", "doubtful", "sure")
    assert found == sorted(found, key=by_worth.index)
    assert {"crowd", "doubtful"} <= {*found}


def test_frames_are_seconds_apart(proposed: Path) -> None:
    moments = sorted(image["seconds"] for image in document(proposed)["images"])
    # a frame on display began up to a twelfth of a second before
    assert min(after - before for before, after in pairwise(moments)) > 3.9


def test_folder_is_a_source_of_pictures_in_which_everybody_has_a_box(proposed: Path) -> None:
    images = document(proposed)["images"]
    found = find_sources([proposed])
    assert not found.wrong_boxes
    assert not found.left_out
    assert {file.path.name for file in found.files} == {image["file_name"] for image in images}
    assert all(file.all_boxed for file in found.files)
    seconds = {image["file_name"]: image["seconds"] for image in images}
    for file in found.files:
        shown = SHOTS[shot_at(seconds[file.path.name])]
        assert sorted(drawn.box.label for drawn in file.boxes) == [block.label for block in shown]


def test_frames_are_as_many_as_asked_for_at_most_and_the_first_of_all(
    home: Path, proposed: Path, tmp_path: Path
) -> None:
    code, said = propose(home, tmp_path / "three", "--frames", "3")
    assert code == 0
    assert one_line(said).endswith(f"three: 3 new frames, with their boxes in {FILE}")
    three, all_of_them = (document(folder)["images"] for folder in (tmp_path / "three", proposed))
    assert three == all_of_them[:3]


def test_same_command_again_adds_nothing(home: Path, proposed: Path) -> None:
    before = contents(proposed)
    code, said = propose(home, proposed)
    assert code == 0
    assert one_line(said).endswith("proposed: has these frames already")
    assert contents(proposed) == before


def test_mended_boxes_and_renamed_frames_stay_as_they_are(home: Path, tmp_path: Path) -> None:
    output = tmp_path / "mended"
    assert propose(home, output, "--frames", "2")[0] == 0
    (output / FILE).write_text("mine")
    next(output.glob("*.jpg")).rename(output / "mine.jpg")
    before = contents(output)
    assert propose(home, output, "--frames", "2")[0] == 0
    code, said = propose(home, output, "--frames", "2", "--seed", "9")
    assert code == 1
    assert "holds other files, which stay; name another folder with -o" in one_line(said)
    assert contents(output) == before


def test_frames_in_the_store_are_not_decoded_again(
    home: Path, proposed: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def extract(*_arguments: object) -> None:
        raise AssertionError("decoded again")

    monkeypatch.setattr(Decoder, "extract", extract)
    assert propose(home, tmp_path / "again")[0] == 0
    assert len(document(tmp_path / "again")["images"]) == len(document(proposed)["images"])


def test_model_of_regions_is_refused(home: Path, tmp_path: Path) -> None:
    code, said = propose(home, tmp_path / "out", model="by_lot")
    assert code == 1
    assert "by_lot@1: gives no places" in one_line(said)
    assert "--model" in said
    assert not list(tmp_path.iterdir())


def test_bad_episode_leaves_nothing(home: Path, tmp_path: Path) -> None:
    code, said = propose(home, tmp_path / "out", home / "absent.mp4")
    assert code == 1
    assert "absent.mp4: no such file" in one_line(said)
    assert not list(tmp_path.iterdir())


def test_full_disk_leaves_nothing(
    home: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def full(*_arguments: object) -> str:
        raise OSError(28, "No space left on device")

    monkeypatch.setattr("castline.stills.proposing.coco_text", full)
    code, said = propose(home, tmp_path / "out")
    assert code == 1
    assert "cannot be written (No space left on device)" in one_line(said)
    assert not list(tmp_path.iterdir())


@pytest.mark.parametrize("name", ["notes.txt", "pic_0001.jpg"])
def test_folder_with_other_files_is_refused(home: Path, tmp_path: Path, name: str) -> None:
    (tmp_path / name).write_text("mine")
    code, said = propose(home, tmp_path)
    assert code == 1
    assert "holds other files" in one_line(said)
    assert [path.read_text() for path in tmp_path.iterdir()] == ["mine"]


def test_output_that_is_a_file_is_refused(home: Path, tmp_path: Path) -> None:
    (tmp_path / "out").write_text("mine")
    code, said = propose(home, tmp_path / "out")
    assert code == 1
    assert "is not a folder" in one_line(said)


def test_episode_of_nobody_is_refused(
    home: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(seen_colours, "SHOTS", {"nobody": ()})
    seen_colours.write_episode(tmp_path / "empty.mp4", seconds=20, seed=2)
    done = castline_here(
        home, "dataset", "propose", tmp_path / "empty.mp4", "-o", tmp_path / "out", "--model", NAME
    )
    assert done.returncode == 1
    assert "colours@1 recognises no character in" in one_line(done.stderr)
    assert not (tmp_path / "out").exists()
