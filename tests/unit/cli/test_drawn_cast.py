"""The drawn cast: the same each time, and its truth is what was drawn."""

from fractions import Fraction
from itertools import islice, pairwise
from pathlib import Path

import numpy as np
import pytest
from PIL import Image

from cli.drawn.cast import CAST, HEIGHT, WIDTH, draw_episode, draw_stills
from cli.drawn.figures import STRANGERS, draw_figure
from cli.drawn.look import Look
from timeline.appearances.shots import FRAME_RATE


def _bytes(folder: Path) -> dict[str, bytes]:
    return {str(path.relative_to(folder)): path.read_bytes() for path in folder.rglob("*.jpg")}


def test_stills_are_the_same_for_the_same_seed_whatever_their_number(tmp_path: Path) -> None:
    draw_stills(tmp_path / "few", 2, seed=5)
    draw_stills(tmp_path / "more", 3, seed=5)
    draw_stills(tmp_path / "other", 2, seed=6)
    few, more, other = (_bytes(tmp_path / name) for name in ("few", "more", "other"))
    assert set(few) == {f"{label}/pic_{i:04}.jpg" for label in CAST for i in range(2)}
    assert few.items() <= more.items()
    assert not set(few.values()) & set(other.values())


def test_stills_are_halves_and_full_frames_with_a_longest_side_of_176(tmp_path: Path) -> None:
    draw_stills(tmp_path, 8, seed=1)
    sizes = set()
    for path in tmp_path.rglob("*.jpg"):
        with Image.open(path) as still:
            sizes.add(still.size)
    assert sizes == {(176, 99), (156, 176)}


def test_an_episode_is_the_same_for_the_same_seed() -> None:
    first, second = draw_episode(3, duration_seconds=6), draw_episode(3, duration_seconds=6)
    assert first.truth == second.truth
    for one, other in zip(first.pictures, second.pictures, strict=True):
        assert np.array_equal(one, other)
    assert draw_episode(4).truth != draw_episode(3).truth


def test_an_episode_has_as_many_pictures_as_it_says_of_the_right_kind() -> None:
    episode = draw_episode(0, duration_seconds=4)
    pictures = list(episode.pictures)
    assert len(pictures) == episode.frames == 96  # 4 s are 95.904 frames
    assert episode.frame_rate == Fraction(24000, 1001) == FRAME_RATE
    assert {(picture.shape, picture.dtype) for picture in pictures} == {
        ((HEIGHT, WIDTH, 3), np.dtype(np.uint8))
    }


@pytest.mark.parametrize("seed", range(20))
def test_shots_follow_each_other_without_a_gap_and_last_1_5_to_5_seconds(seed: int) -> None:
    episode = draw_episode(seed)
    shots = sorted({(start, end) for _, start, end in episode.truth})
    assert shots[0][0] == 0
    assert shots[-1][1] == episode.frames == 1439  # 60 s are 1438.56 frames
    assert all(end == start for (_, end), (start, _) in pairwise(shots))
    assert all(36 <= end - start <= 120 for start, end in shots)


@pytest.mark.parametrize("seed", range(20))
def test_a_minute_shows_everybody_and_somebody_in_pairs_and_nobody(seed: int) -> None:
    truth = draw_episode(seed).truth
    assert {label for label, _, _ in truth} == {"", *CAST}
    starts = [start for _, start, _ in truth]
    assert any(starts.count(start) == 2 for start in starts)
    assert len({(label, start) for label, start, _ in truth}) == len(truth)


def test_a_cut_in_the_pictures_is_where_the_truth_changes() -> None:
    episode = draw_episode(8, duration_seconds=12)
    starts = {start for _, start, _ in episode.truth}
    pictures = [picture[::8, ::8].astype(int) for picture in episode.pictures]
    changes = [np.abs(b - a).mean() for a, b in pairwise(pictures)]
    # Cuts are the largest changes: there are as many of them as shots after the first.
    largest = np.argsort(changes)[::-1][: len(starts) - 1] + 1
    assert set(largest.tolist()) == starts - {0}


def test_there_is_movement_within_a_shot() -> None:
    first, *_, later = islice(draw_episode(8).pictures, 30)
    assert not np.array_equal(first, later)


@pytest.mark.parametrize("name", [*CAST, *STRANGERS])
def test_a_figure_fits_its_picture_and_changes_with_its_look(name: str) -> None:
    looks = [
        Look(),
        Look(costume=1),
        Look(mouth=1.0),
        Look(blinks=True),
        Look(left_arm=2.0),
        Look(mirrored=True, left_arm=2.0),
        Look(tilt_degrees=8, left_arm=2.3, right_arm=2.3),
    ]
    pictures = [draw_figure(name, 100, look) for look in looks]
    for picture in pictures:
        assert (picture.mode, picture.size) == ("RGBA", (140, 140))
        alpha = np.asarray(picture)[..., 3]
        border = np.concatenate([alpha[0], alpha[-1], alpha[:, 0], alpha[:, -1]])
        assert not border.any()  # nothing of it is cut off
        assert alpha.any()
    drawn = {picture.tobytes() for picture in pictures}
    assert len(drawn) >= 5  # a cactus has no arms to move, a snowman's mouth does not show
