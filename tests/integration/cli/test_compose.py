"""Composed episodes: the truth is what the pictures show, frame by frame, as a decoder sees them.

Each label's stills are of one grey, which names it whatever becomes of its size.
"""

import json
from collections.abc import Iterator
from fractions import Fraction
from itertools import pairwise
from pathlib import Path

import numpy as np
import pytest
from numpy.typing import NDArray
from PIL import Image

from cli.drawn.cast import CAST, draw_stills
from ingest.frames.write_video import write_video
from model.dataset.build import build_dataset
from model.dataset.folder import Dataset
from model.dataset.plan import BuildOptions
from model.stills.choice import Choice
from tests.servers.commands import BY_LOT, castline_here, new_home, one_line
from timeline.scoring.truth import LabelledRange, read_truth

pytestmark = pytest.mark.integration

GREYS = {"ann": 60, "bob": 110, "cid": 160, "unknown": 210}
CLIP_GREY = 20
RATE = Fraction(24000, 1001)
NEAR = 6  # what H.264 and the way to YUV and back change of a plain grey
HALF_A_DISSOLVE = 6  # frames
SECONDS = 60


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A home with a dataset of greys and a clip of one grey."""
    folder = new_home(tmp_path_factory.mktemp("compose"))
    grey_dataset(folder)
    pictures = (np.full((72, 96, 3), CLIP_GREY, np.uint8) for _ in range(20))
    write_video(folder / "clip.mp4", pictures, Fraction(10))
    return folder


def grey_dataset(folder: Path) -> Dataset:
    for name, grey in zip(("ann", "bob", "cid", "others"), GREYS.values(), strict=True):
        (folder / "stills" / name).mkdir(parents=True)
        for number in range(20):
            # every other one is a half; each has a size of its own, for none is a copy
            size = (60 + number, (60 + number) * (16 if number % 2 else 8) // 9)
            still = Image.fromarray(np.full((*size, 3), grey, np.uint8))
            still.save(folder / "stills" / name / f"{number}.png")
    options = BuildOptions(
        # plain greys are all alike to whoever looks for near-duplicates
        choice=Choice(("ann", "bob", "cid")),
        split="random",
        shards=2,
        processes=1,
    )
    return build_dataset([folder / "stills"], folder / "dataset", options)


def compose(folder: Path, output: Path, *options: str | Path) -> str:
    done = castline_here(folder, "compose", folder / "dataset", "-o", output, *options)
    assert done.returncode == 0, done.stderr
    return done.stderr


def frames_of(path: Path) -> Iterator[NDArray[np.uint8]]:
    import av

    with av.open(str(path)) as container:
        for frame in container.decode(video=0):
            yield np.asarray(frame.to_ndarray(format="rgb24"), np.uint8)


def top_greys(picture: NDArray[np.uint8]) -> tuple[int, int]:
    """The greys of the left and the right half, above any subtitle."""
    height, width = picture.shape[:2]
    rows = picture[height // 4 : height // 2]
    halves = rows[:, width // 8 : width * 3 // 8], rows[:, width * 5 // 8 : width * 7 // 8]
    return round(float(np.median(halves[0]))), round(float(np.median(halves[1])))


def named(grey: int) -> str | None:
    known = {**GREYS, "clip": CLIP_GREY}
    return next((name for name, value in known.items() if abs(grey - value) <= NEAR), None)


def true_at(truth: list[LabelledRange], frame: int) -> set[str]:
    """Who is there in the middle of a frame's time."""
    moment = (frame + Fraction(1, 2)) / RATE
    return {item.label for item in truth if item.start_seconds <= moment < item.end_seconds}


def borders_of(truth: list[LabelledRange]) -> list[int]:
    """The frames with which shots begin, but the first."""
    return sorted({round(item.start_seconds * RATE) for item in truth} - {0})


@pytest.fixture(scope="module")
def composed(folder: Path) -> Path:
    output = folder / "composed.mp4"
    said = compose(
        folder,
        *(output, "--seconds", str(SECONDS), "--size", "96x64"),
        *("--negatives", folder / "clip.mp4", "--seed", "5"),
    )
    assert "with nobody known" in said
    return output


@pytest.fixture(scope="module")
def seen(composed: Path) -> list[tuple[int, int]]:
    """The greys of every frame's halves."""
    return [top_greys(picture) for picture in frames_of(composed)]


def test_truth_names_who_is_in_every_frame_outside_of_dissolves(
    composed: Path, seen: list[tuple[int, int]]
) -> None:
    truth = read_truth(Path(f"{composed}.truth.csv"))
    borders = borders_of(truth)
    shown = set()
    for frame, greys in enumerate(seen):
        if any(-HALF_A_DISSOLVE <= frame - border < HALF_A_DISSOLVE for border in borders):
            continue
        names = {named(grey) for grey in greys}
        shown |= names
        assert {"" if name in ("unknown", "clip") else name for name in names} == true_at(
            truth, frame
        ), frame
    assert shown == {*GREYS, "clip"}


def test_shots_begin_with_a_cut_at_the_border_or_a_dissolve_around_it(
    composed: Path, seen: list[tuple[int, int]]
) -> None:
    kinds = []
    for border in borders_of(read_truth(Path(f"{composed}.truth.csv"))):
        start, end = border - HALF_A_DISSOLVE, border + HALF_A_DISSOLVE
        for half in (0, 1):
            before, after = seen[start - 1][half], seen[end][half]
            if abs(before - after) < 40:
                continue  # the same on both sides: there is nothing to see
            # 0 before, 1 after
            shares = [(seen[n][half] - before) / (after - before) for n in range(start, end)]
            is_cut = max(shares[:6]) < 0.15 and min(shares[6:]) > 0.85
            if not is_cut:
                expected = [(n + 0.5) / 12 for n in range(12)]
                assert shares == pytest.approx(expected, abs=0.15)
            assert shares[5] < 0.5 < shares[6]
            kinds.append(is_cut)
    assert set(kinds) == {True, False}


def test_truth_covers_the_whole_episode_without_a_gap(
    composed: Path, seen: list[tuple[int, int]]
) -> None:
    truth = read_truth(Path(f"{composed}.truth.csv"))
    shots = sorted({(item.start_seconds, item.end_seconds) for item in truth})
    assert shots[0][0] == 0
    assert all(one[1] == after[0] for one, after in pairwise(shots))
    assert round(shots[-1][1] * RATE) == len(seen) == 1439  # 60 s are 1438.6 frames
    counts = {pair: sum((i.start_seconds, i.end_seconds) == pair for i in truth) for pair in shots}
    assert set(counts.values()) == {1, 2}


def test_the_same_seed_gives_the_same_file_and_another_seed_another(
    folder: Path, tmp_path: Path
) -> None:
    made = {}
    for name, seed in (("one", "1"), ("again", "1"), ("other", "2")):
        output = tmp_path / f"{name}.mp4"
        compose(
            folder,
            *(output, "--seconds", "6", "--size", "64x64", "--seed", seed),
            *("--negatives", folder / "clip.mp4"),
        )
        pictures = np.stack(list(frames_of(output)))
        made[name] = pictures.tobytes(), Path(f"{output}.truth.csv").read_text()
    assert made["one"] == made["again"]
    assert made["one"][0] != made["other"][0]
    assert made["one"][1] != made["other"][1]


def test_frames_have_the_size_and_the_picture_the_aspect_that_was_asked_for(
    folder: Path, tmp_path: Path
) -> None:
    output = tmp_path / "boxed.mp4"
    compose(folder, output, "--seconds", "2", "--size", "128x96", "--aspect", "2:1")
    pictures = list(frames_of(output))
    assert {picture.shape for picture in pictures} == {(96, 128, 3)}
    for picture in pictures:
        assert picture[:15].max() < 2 * NEAR
        assert picture[81:].max() < 2 * NEAR
        assert picture[18:40].min() > 60 - 2 * NEAR


def test_subtitles_stand_below_some_shots_and_not_below_others(composed: Path) -> None:
    are_subtitled = set()
    for picture in frames_of(composed):
        greys = top_greys(picture)
        if greys[0] == greys[1] and named(greys[0]):
            bottom = picture[-16:, 24:72].astype(int)
            spread = int(bottom.max() - bottom.min())
            are_subtitled.add(spread > 100)
    assert are_subtitled == {True, False}


@pytest.mark.parametrize("part", ["train", "validation"])
def test_stills_that_models_learn_from_are_refused_unless_forced(
    folder: Path, tmp_path: Path, part: str
) -> None:
    output = tmp_path / "learnt.mp4"
    arguments = ("compose", folder / "dataset", "-o", output, "--set", part, "--seconds", "1")
    refused = castline_here(folder, *arguments, "--size", "64x64")
    assert refused.returncode == 1
    assert f"--set {part}" in one_line(refused.stderr)
    assert "--force" in refused.stderr
    assert not list(tmp_path.iterdir())
    assert castline_here(folder, *arguments, "--size", "64x64", "--force").returncode == 0
    assert {path.name for path in tmp_path.iterdir()} == {"learnt.mp4", "learnt.mp4.truth.csv"}


@pytest.mark.parametrize("name", ["out.mp4", "out.mp4.truth.csv"])
def test_a_file_that_exists_is_replaced_only_if_asked_and_force_does_not_ask_it(
    folder: Path, tmp_path: Path, name: str
) -> None:
    (tmp_path / name).write_text("mine")
    output = tmp_path / "out.mp4"
    arguments = ("compose", folder / "dataset", "-o", output, "--seconds", "1", "--size", "64x64")
    refused = castline_here(folder, *arguments, "--force")
    assert refused.returncode == 1
    assert "--replace" in one_line(refused.stderr)
    assert name in refused.stderr
    assert {path.name: path.read_text() for path in tmp_path.iterdir()} == {name: "mine"}
    assert castline_here(folder, *arguments, "--replace").returncode == 0
    assert len(list(frames_of(output))) == 24
    assert read_truth(tmp_path / "out.mp4.truth.csv")


BAD = {
    "out.avi": (("--seconds", "1"), "is an MP4"),
    "nowhere/out.mp4": (("--seconds", "1"), "choose a folder that exists"),
    "set.mp4": (("--set", "all", "--force"), "none of train, validation, test"),
    "odd.mp4": (("--size", "65x64"), "even sides"),
    "words.mp4": (("--size", "large"), "--size 'large'"),
    "flat.mp4": (("--aspect", "9:1"), "aspect 9"),
    "zero.mp4": (("--aspect", "4:0"), "--aspect '4:0'"),
    "gone.mp4": (("--negatives", "gone.mkv"), "gone.mkv: no such file"),
    "letter.mp4": (("--negatives", "{folder}/dataset/stills.csv"), "not a video"),
}
"""Options, and what the line must say; the words are those of the person who wrote this table."""


@pytest.mark.parametrize("name", BAD)
def test_what_cannot_be_used_is_one_line_and_leaves_nothing(
    folder: Path, tmp_path: Path, name: str
) -> None:
    options, expected = BAD[name]
    done = castline_here(
        folder,
        *("compose", folder / "dataset", "-o", tmp_path / name),
        *(option.format(folder=folder) for option in options),
    )
    assert done.returncode == 1
    assert expected in one_line(done.stderr)
    assert not list(tmp_path.iterdir())


def test_a_damaged_dataset_is_one_line_and_leaves_nothing(tmp_path: Path) -> None:
    dataset = grey_dataset(tmp_path)
    shard = dataset.shard_paths("test")[0]
    content = bytearray(shard.read_bytes())
    content[len(content) // 2] ^= 0xFF
    shard.write_bytes(content)
    (tmp_path / "made").mkdir()
    output = tmp_path / "made" / "out.mp4"
    for place, expected in ((tmp_path / "dataset", "damaged"), (tmp_path, "not a dataset")):
        done = castline_here(tmp_path, "compose", place, "-o", output, "--seconds", "1")
        assert done.returncode == 1
        assert expected in one_line(done.stderr)
        assert not list((tmp_path / "made").iterdir())


def test_without_anything_to_show_for_nobody_everybody_is_somebody_and_it_says_so(
    tmp_path: Path,
) -> None:
    home = new_home(tmp_path / "home")
    draw_stills(tmp_path / "stills", 12, seed=1)
    built = castline_here(home, "dataset", "build", tmp_path / "stills", "-o", home / "dataset")
    assert built.returncode == 0, built.stderr
    episode = home / "drawn.mp4"
    said = compose(home, episode, "--seconds", "8", "--size", "192x108")
    assert "--negatives" in said
    truth = Path(f"{episode}.truth.csv")
    assert {item.label for item in read_truth(truth)} <= {*CAST}
    tagged = castline_here(home, "tag", episode, *BY_LOT)
    assert tagged.returncode == 0, tagged.stderr
    scored = castline_here(home, "evaluate", "drawn.mp4", truth, "--json")
    assert scored.returncode == 0, scored.stderr
    figures = json.loads(scored.stdout)
    assert (figures["frames"], figures["frames_with_nobody"]) == (192, 0)
