"""Stills taken from an episode: where they go, and that none is ever replaced."""

import re
from collections import defaultdict
from pathlib import Path

import pytest
from PIL import Image

from tests.servers.commands import castline_here, new_home, one_line
from tests.stills.models import LABELS, NAME
from tests.video.clips import HEIGHT, WIDTH, write_clip

pytestmark = pytest.mark.integration

COMMENT = re.compile(
    r"castline harvest: clip\.mp4 \(SHA-256 [0-9a-f]{64}\) at (\d+\.\d{3}) s,"
    r" (full|left|right); (\w+) (\d\.\d\d) by by_lot@1"
)


@pytest.fixture(scope="module")
def home(tmp_path_factory: pytest.TempPathFactory) -> Path:
    home = new_home(tmp_path_factory.mktemp("harvest"))
    write_clip(home / "clip.mp4", seconds=60)
    return home


def harvest(home: Path, output: Path, *options: str) -> tuple[int, str]:
    done = castline_here(
        home, "dataset", "harvest", home / "clip.mp4", "-o", output, "--model", NAME, *options
    )
    return done.returncode, done.stderr


def contents(folder: Path) -> dict[str, bytes]:
    return {
        path.relative_to(folder).as_posix(): path.read_bytes()
        for path in sorted(folder.rglob("*"))
        if path.is_file()
    }


def test_each_frame_gives_three_stills_in_the_folders_that_their_confidence_says(
    home: Path, tmp_path: Path
) -> None:
    assert harvest(home, tmp_path / "out")[0] == 0
    regions: dict[str, dict[str, tuple[int, int]]] = defaultdict(dict)
    folders = set()
    for path in sorted((tmp_path / "out").glob("*/*")):
        with Image.open(path) as picture:
            assert picture.format == "JPEG"
            matched = COMMENT.fullmatch(picture.info["comment"].decode())
            assert matched is not None
            seconds, region, label, confidence = matched.groups()
            regions[seconds][region] = picture.size
        folders.add(path.parent.name)
        assert label in LABELS
        if float(confidence) != 0.6:  # two digits do not say on which side
            assert path.parent.name == (label if float(confidence) > 0.6 else "_unsure")
    assert {"_unsure"} < folders <= {"_unsure", *LABELS}
    assert 60 / 10 - 1 <= len(regions) <= 60 / 4 + 1
    half = (WIDTH // 2, HEIGHT)
    for sizes in regions.values():
        assert sizes == {"full": (WIDTH, HEIGHT), "left": half, "right": half}
    # an episode of 12 frames a second: each still is a frame's own time
    assert all(
        (float(seconds) * 12) % 1 < 0.02 or (float(seconds) * 12) % 1 > 0.98 for seconds in regions
    )


def test_second_harvest_adds_and_replaces_nothing(home: Path, tmp_path: Path) -> None:
    output = tmp_path / "out"
    (output / "_unsure").mkdir(parents=True)
    (output / "_unsure/pic_0002.jpg").write_text("mine")
    assert harvest(home, output)[0] == 0
    before = contents(output)
    assert before["_unsure/pic_0002.jpg"] == b"mine"
    assert harvest(home, output, "--seed", "7")[0] == 0
    after = contents(output)
    assert before.items() < after.items()
    numbers = sorted(int(name[-8:-4]) for name in after if name.startswith("_unsure"))
    assert len(set(numbers)) == len(numbers)


def test_harvest_that_was_killed_and_starts_over_adds_only_what_is_missing(
    home: Path, tmp_path: Path
) -> None:
    output = tmp_path / "out"
    assert harvest(home, output)[0] == 0
    whole = contents(output)
    # as a kill leaves it: half of the stills, and a name that was just taken; one still was moved
    stills = sorted(output.rglob("*.jpg"))
    for still in stills[1::2]:
        still.unlink()
    (output / "confirmed").mkdir()
    stills[0].rename(output / "confirmed" / "elsewhere.jpg")
    (output / "_unsure" / "pic_9999.jpg").touch()

    assert harvest(home, output)[0] == 0
    again = contents(output)
    assert again.pop("_unsure/pic_9999.jpg") == b""
    assert sorted(again.values()) == sorted(whole.values())
    code, said = harvest(home, output)
    assert code == 0
    assert said.splitlines()[-1] == "clip.mp4: 0 new stills"
    assert len(contents(output)) == len(whole) + 1


def test_refused_episode_is_one_line_and_the_next_one_is_harvested(
    home: Path, tmp_path: Path
) -> None:
    done = castline_here(
        home, "dataset", "harvest", home / "absent.mp4", home / "clip.mp4",
        "-o", tmp_path / "out", "--model", NAME,
    )  # fmt: skip
    assert done.returncode == 1
    assert "absent.mp4: no such file" in done.stderr.splitlines()[0]
    assert contents(tmp_path / "out")


def test_output_that_is_a_file_is_refused(home: Path, tmp_path: Path) -> None:
    (tmp_path / "out").write_text("mine")
    code, complaint = harvest(home, tmp_path / "out")
    assert code == 1
    assert "is not a folder" in one_line(complaint)


def test_stills_go_to_the_folder_whose_name_has_the_label(home: Path, tmp_path: Path) -> None:
    names = {"apple": "Apple", "birch": "BIRCH", "fig_tree": "Fig. Tree"}
    for name in names.values():
        (tmp_path / "out" / name).mkdir(parents=True)
    assert harvest(home, tmp_path / "out")[0] == 0
    folders = {path.name for path in (tmp_path / "out").iterdir()}
    assert folders <= {*names.values(), "cedar", "daisy", "elder", "_unsure"}
    assert any(any((tmp_path / "out" / name).iterdir()) for name in names.values())
