"""Composed episodes with groups: as many as wished, in the truth as on the screen.

Each label's figures are of one colour on grey, so that pixels tell who is there; where a shot is
tinted, or it dissolves, they do not, and nothing is said of it.
"""

import csv
from collections import Counter
from itertools import pairwise
from pathlib import Path

import numpy as np
import pytest
from numpy.typing import NDArray
from PIL import Image

from bench.footage.samples import Footage, number_on_screen, samples_of, scores_by
from castline.composing.composition import Composition
from model.dataset.build import build_dataset
from model.dataset.folder import open_dataset
from model.dataset.plan import BuildOptions
from model.rehearsal.shot_pictures import Layout
from model.stills.choice import Choice
from tests.integration.cli.test_compose import RATE, borders_of, frames_of, true_at
from tests.servers.commands import castline_here, new_home, one_line
from tests.stills.placed_stills import COLOURS, GROUND, of_colour
from timeline.scoring.truth import read_truth

pytestmark = pytest.mark.integration

KNOWN = ("ann", "bob", "cid", "dot")
STILLS = 20
SECONDS = 40


def write_stills(folder: Path, *, boxes: bool = True) -> list[Path]:
    """Stills of a head on grey, whole frames for whoever reads boxes; no two of one size."""
    folder.mkdir()
    lines = ["path,left,top,right,bottom,label"]
    for label in (*KNOWN, "unknown"):
        (folder / label).mkdir()
        for number in range(STILLS):
            height = 100 + number
            picture = np.full((height, 90, 3), GROUND, np.uint8)
            picture[height // 4 : height * 3 // 4, 27:63] = COLOURS[label]
            name = f"{label}/{number}.png"
            Image.fromarray(picture).save(folder / name)
            lines.append(f"{name},0.3,0.25,0.7,0.75,{label}")
    if not boxes:
        return [folder]
    (folder / "boxes.csv").write_text("\n".join(lines))
    return [folder / "boxes.csv"]


def built(home: Path, labels: tuple[str, ...] = KNOWN, *, boxes: bool = True) -> Path:
    options = BuildOptions(
        choice=Choice(labels),
        split="random",
        shards=1,
        processes=1,
    )
    build_dataset(write_stills(home / "stills", boxes=boxes), home / "dataset", options)
    return home / "dataset"


@pytest.fixture(scope="module")
def home(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A home with a dataset all of whose stills are whole frames with boxes."""
    home = new_home(tmp_path_factory.mktemp("groups"))
    built(home)
    return home


def composed(home: Path, output: Path, *options: str) -> str:
    done = castline_here(home, "compose", home / "dataset", "-o", output, *options)
    assert done.returncode == 0, done.stderr
    return done.stderr


def in_sight(picture: NDArray[np.uint8]) -> set[str]:
    """Whose colour is there, after H.264: more than 6 x 6 pixels of it, above any subtitle."""
    above = picture[: picture.shape[0] * 17 // 20]
    return {label for label in KNOWN if of_colour(above, label, 70).sum() > 36}


def assert_same(one: Path, other: Path) -> None:
    """Two episodes are the same, but for what x264 makes of the same picture on different days."""
    assert Path(f"{one}.truth.csv").read_text() == Path(f"{other}.truth.csv").read_text()
    pictures = [np.stack(list(frames_of(path))).astype(int) for path in (one, other)]
    assert np.abs(pictures[0] - pictures[1]).mean() < 1


def test_truth_names_who_is_in_every_frame_of_groups_and_of_the_others(
    home: Path, tmp_path: Path
) -> None:
    output = tmp_path / "groups.mp4"
    composed(home, output, "--seconds", str(SECONDS), "--size", "320x180", "--groups", "0.6")
    truth = read_truth(Path(f"{output}.truth.csv"))
    borders = borders_of(truth)
    agreeing, examined = Counter[int](), Counter[int]()
    for number, picture in enumerate(frames_of(output)):
        if any(abs(number - border) <= 6 for border in borders):
            continue
        named = true_at(truth, number) - {""}
        examined[len(named)] += 1
        agreeing[len(named)] += in_sight(picture) == named
    assert set(examined) == {0, 1, 2, 3, 4}
    # one shot in six is tinted, and a subtitle may hide somebody small
    assert sum(agreeing.values()) > 0.7 * sum(examined.values())
    assert agreeing[3] + agreeing[4] > 0.7 * (examined[3] + examined[4])


def test_benchmarks_of_footage_count_them_by_how_many_are_on_screen(
    home: Path, tmp_path: Path
) -> None:
    output = tmp_path / "benched.mp4"
    composed(home, output, "--seconds", "40", "--size", "96x64", "--groups", "0.5")
    truth = read_truth(Path(f"{output}.truth.csv"))
    end = max(item.end_seconds for item in truth)
    footage = Footage(output, end, truth, [], found=truth, looks=[])
    samples, untold = samples_of(footage, frozenset(KNOWN))
    assert untold == 0
    scores = scores_by(samples, number_on_screen)
    assert {"1", "2", "3+"} <= set(scores)
    assert all(each.total.false_positives == 0 for each in scores.values())


def test_the_same_seed_gives_the_same_file_and_says_how_many_groups(
    home: Path, tmp_path: Path
) -> None:
    made = []
    for name in ("one", "again"):
        output = tmp_path / f"{name}.mp4"
        said = composed(home, output, "--seconds", "12", "--size", "96x64", "--seed", "3")
        made.append(output)
    assert_same(*made)
    with Path(f"{output}.truth.csv").open() as file:
        starts = Counter(row["start_seconds"] for row in csv.DictReader(file))
    groups = sum(count >= 3 for count in starts.values())
    assert groups
    assert f"{len(starts)} shots" in said
    assert f"{groups} with three or more" in said


def test_groups_are_a_quarter_with_boxes_and_none_without(home: Path, tmp_path: Path) -> None:
    bare = built(new_home(tmp_path / "bare"), boxes=False)
    for dataset, expected in ((home / "dataset", 0.25), (bare, 0.0)):
        opened = open_dataset(dataset)
        assert Composition(opened, "test", (), Layout(96, 64), 8, 0).usual_groups == expected
    made = []
    for name, options in (("default", ()), ("none", ("--groups", "0"))):
        output = tmp_path / f"{name}.mp4"
        said = composed(bare.parent, output, "--seconds", "8", "--size", "96x64", *options)
        assert "three or more" not in said
        made.append(output)
    assert_same(*made)


def test_stills_without_boxes_make_groups_too_if_asked(tmp_path: Path) -> None:
    home = new_home(tmp_path / "home")
    built(home, boxes=False)
    output = tmp_path / "out.mp4"
    composed(home, output, "--seconds", "10", "--size", "192x108", "--groups", "1")
    truth = read_truth(Path(f"{output}.truth.csv"))
    counts = Counter((item.start_seconds, item.end_seconds) for item in truth)
    assert set(counts.values()) <= {3, 4}
    assert all(one[1] == after[0] for one, after in pairwise(sorted(counts)))
    assert round(max(end for _, end in counts) * RATE) == 240


@pytest.mark.parametrize(
    ("share", "code", "said"),
    [("0.5", 1, "a group takes 3"), ("1.5", 2, "--groups"), ("nan", 2, "--groups")],
)
def test_groups_that_cannot_be_are_one_line_and_leave_nothing(
    tmp_path: Path, share: str, code: int, said: str
) -> None:
    home = new_home(tmp_path / "home")
    built(home, ("ann", "bob"))
    (tmp_path / "made").mkdir()
    output = tmp_path / "made" / "out.mp4"
    done = castline_here(home, "compose", home / "dataset", "-o", output, "--groups", share)
    assert done.returncode == code
    assert said in (one_line(done.stderr) if code == 1 else done.stderr)
    assert not list((tmp_path / "made").iterdir())
