"""Stills that a dense network sorts: regions, cuts around places, whole frames with boxes."""

import json
import re
from collections.abc import Iterator
from pathlib import Path

import pytest
from PIL import Image

from model.inference.classifier import Classifier
from model.stills.sources import find_sources
from tests.servers.commands import castline_here, one_line
from tests.stills.models import write_model_by_lot
from tests.video import seen_colours
from tests.video.seen_colours import HEIGHT, NAME, SHOTS, WIDTH, shot_at

pytestmark = pytest.mark.integration

COMMENT = re.compile(r"SHA-256 [0-9a-f]{64}\) at (\d+\.\d{3}) s, ([\w -]+); (.+) by colours@1")

REGIONS = {
    "sure": {"full": "apple", "left": "apple", "right": "unknown"},
    "doubtful": {"full": "_unsure", "left": "unknown", "right": "_unsure"},
    "nobody": {"full": "unknown", "left": "unknown", "right": "unknown"},
}
"""Where the regions of each shot belong; of a crowd any of those that are seen, all as surely."""

CUTS = {
    # half of its width added on both sides, above a tenth, below four tenths of its height
    "sure": {"around apple": ("apple", (0, 30, 96, 120))},
    "doubtful": {"around birch": ("_unsure", (96, 41, 192, 144))},
    "crowd": {
        "around apple": ("apple", (0, 19, 66, 91)),
        "around birch": ("birch", (54, 55, 126, 127)),
        "around cedar": ("cedar", (108, 19, 192, 91)),
    },
    "nobody": {"full": ("unknown", (0, 0, WIDTH, HEIGHT))},
}
"""Where the cuts of each shot belong, and their left, top, right and bottom."""


@pytest.fixture(scope="module")
def home(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Path]:
    home = tmp_path_factory.mktemp("harvest")
    write_model_by_lot(home / "models")
    seen_colours.write_colours(home / "models")
    seen_colours.write_episode(home / "colours.mp4")
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(Classifier, "load", staticmethod(seen_colours.load_colours))
        yield home


def harvest(home: Path, output: Path, *options: str, model: str = NAME) -> tuple[int, str]:
    done = castline_here(
        home, "dataset", "harvest", home / "colours.mp4", "-o", output, "--model", model, *options
    )
    return done.returncode, done.stderr


def taken(folder: Path) -> Iterator[tuple[float, str, str, tuple[int, int]]]:
    """Moment, part, folder and size of each still."""
    for path in folder.glob("*/*.jpg"):
        with Image.open(path) as picture:
            matched = COMMENT.search(picture.info["comment"].decode())
            assert matched is not None
            yield float(matched[1]), matched[2], path.parent.name, picture.size


def test_regions_are_cut_as_ever_and_each_is_seen_on_its_own(home: Path, tmp_path: Path) -> None:
    # The moments follow from the file's content, so from how it was encoded: of several lots one
    # that misses a kind of shot proves nothing.
    for seed in ("0", "1", "2"):
        assert harvest(home, tmp_path / "out", "--seed", seed)[0] == 0
    stills = list(taken(tmp_path / "out"))
    assert len(stills) >= 3 * 90 / 10
    for seconds, part, folder, size in stills:
        assert size == (WIDTH if part == "full" else WIDTH // 2, HEIGHT)
        if shot_at(seconds) == "crowd":
            assert folder in ("apple", "birch", "cedar")
        else:
            assert folder == REGIONS[shot_at(seconds)][part]
    assert {"unknown", "_unsure"} <= {folder for _, _, folder, _ in stills}


def test_cuts_have_room_for_head_and_shoulders(home: Path, tmp_path: Path) -> None:
    assert harvest(home, tmp_path / "out", "--cuts")[0] == 0
    stills = list(taken(tmp_path / "out"))
    found = {(seconds, part) for seconds, part, _, _ in stills}
    moments = {seconds for seconds, _ in found}
    assert found == {(at, part) for at in moments for part in CUTS[shot_at(at)]}
    assert len(stills) == len(found)
    for seconds, part, folder, size in stills:
        label, (left, top, right, bottom) = CUTS[shot_at(seconds)][part]
        assert folder == label
        assert size == pytest.approx((right - left, bottom - top), abs=6)
    before = sorted(path.name for path in tmp_path.rglob("*"))
    code, said = harvest(home, tmp_path / "out", "--cuts")
    assert (code, one_line(said)) == (0, "colours.mp4: 0 new stills")
    assert sorted(path.name for path in tmp_path.rglob("*")) == before


def test_cuts_follow_the_thresholds_that_were_set(home: Path, tmp_path: Path) -> None:
    options = ("--model", NAME, "--label", "birch", "--onset", "0.8", "--offset", "0.8")
    assert castline_here(home, "thresholds", "set", *options).returncode == 0
    assert harvest(home, tmp_path / "out", "--cuts")[0] == 0
    assert castline_here(home, "thresholds", "reset", "--model", NAME).returncode == 0
    cut = {(shot_at(seconds), part) for seconds, part, _, _ in taken(tmp_path / "out")}
    assert ("crowd", "around birch") in cut, "of which the model is sure"
    assert not {each for each in cut if each[0] == "doubtful"}


def test_whole_frames_come_with_boxes_in_the_order_of_time(home: Path, tmp_path: Path) -> None:
    output = tmp_path / "out"
    assert harvest(home, output, "--whole")[0] == 0
    document = json.loads((output / "_annotations.coco.json").read_text("utf-8"))
    moments = [image["seconds"] for image in document["images"]]
    assert moments == sorted(moments)
    shown = [len(SHOTS[shot_at(seconds)]) for seconds in moments]
    assert min(shown) == 1
    assert len(document["annotations"]) == sum(shown)
    nobody = list(taken(output))
    assert {shot_at(seconds) for seconds, _, _, _ in nobody} == {"nobody"}
    assert {folder for _, _, folder, _ in nobody} == {"unknown"}

    files = find_sources([output, output / "unknown"]).files
    assert len(files) == len(moments) + len(nobody)
    assert sum(file.all_boxed for file in files) == len(moments)
    assert sum(file.label == "unknown" for file in files) == len(nobody)
    assert harvest(home, output, "--whole")[1] == f"{output}: has these frames already\n"


def test_stills_and_whole_frames_never_share_a_folder(home: Path, tmp_path: Path) -> None:
    whole, cuts, regions = (tmp_path / name for name in ("whole", "cuts", "regions"))
    assert harvest(home, whole, "--whole")[0] == 0
    assert harvest(home, cuts, "--cuts")[0] == 0
    assert harvest(home, regions)[0] == 0
    for output, option in ((whole, "--cuts"), (cuts, "--whole"), (regions, "--whole")):
        before = sorted(output.rglob("*"))
        code, said = harvest(home, output, option)
        assert code == 1
        assert "name another folder with -o" in one_line(said)
        assert sorted(output.rglob("*")) == before


@pytest.mark.parametrize("option", ["--cuts", "--whole"])
def test_model_of_regions_offers_neither(home: Path, tmp_path: Path, option: str) -> None:
    code, said = harvest(home, tmp_path / "out", option, model="by_lot")
    assert code == 1
    assert "by_lot@1: gives no places" in one_line(said)
    assert not list(tmp_path.iterdir())


def test_both_are_wrong_usage(home: Path, tmp_path: Path) -> None:
    code, said = harvest(home, tmp_path / "out", "--cuts", "--whole")
    assert code == 2
    assert "give one of --cuts and --whole" in said
