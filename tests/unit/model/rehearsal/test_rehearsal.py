"""Shots made of stills: who is in them is known by the greys that they show."""

import numpy as np
import pytest
from numpy.typing import NDArray

from model.dataset.stills import Stills
from model.pictures.preprocess import FINE, TASK, Preprocessing
from model.rehearsal.shots import SHOT_FRAMES, RehearsalFrame, rehearse
from tests.stills.grey_stills import grey_of, grey_stills, greys

WIDE, NARROW = (100, 176), (176, 132)
ONE, TWO, STRANGER, BESIDE = {0, 3}, {1, 4}, {2}, {5}
"""The kinds of shots by their number modulo six."""


RIGHT = 40
"""Of 64 columns of a right half, those that a moved camera never shows of the left one."""


def plain_greys(picture: NDArray[np.uint8]) -> set[int]:
    """Those of more than a narrow edge, which is blended where halves meet."""
    values, counts = np.unique(picture[..., 0], return_counts=True)
    return set(values[counts > 0.05 * counts.sum()].tolist()) - {0}


def named_by(truth: NDArray[np.bool_]) -> set[int]:
    return {grey_of(int(label)) for label in np.flatnonzero(truth)}


@pytest.mark.parametrize("rule", [TASK, FINE])
def test_frames_show_exactly_the_characters_of_their_truth(rule: Preprocessing) -> None:
    stills = grey_stills([WIDE, WIDE, NARROW, NARROW], rule=rule)
    for place, frame in enumerate(rehearse(stills, 60, seed=0)):
        assert frame.pictures.shape == (3, rule.side, rule.side, 3)
        full, left, right = map(plain_greys, frame.pictures)
        named, kind = named_by(frame.truth), place // SHOT_FRAMES % 6
        assert left | right == full
        if kind in ONE:
            assert full == left == right == named
            assert max(named) < grey_of(2)
        elif kind in TWO:
            assert full == named
            assert min(named) >= grey_of(2)
        elif kind in STRANGER:
            assert not named
        else:
            assert named <= left  # a camera that moves across may show some of the other half
        assert (frame.hidden is not None) <= (kind in STRANGER | BESIDE)


def test_a_shot_is_one_scene_over_which_a_camera_moves() -> None:
    picture = np.random.default_rng(0).integers(0, 256, (100, 176, 3), np.uint8)
    stills = Stills.from_pictures(("apple", "birch"), [(picture, 0), (picture, 1)], FINE)
    frames = list(rehearse(stills, 4, seed=0))
    assert len(frames) == 4 * SHOT_FRAMES
    for start in range(0, len(frames), SHOT_FRAMES):
        shot = frames[start : start + SHOT_FRAMES]
        assert len({(tuple(frame.truth), frame.hidden) for frame in shot}) == 1
        seen = np.stack([frame.pictures[0] for frame in shot]).reshape(SHOT_FRAMES, -1)
        assert len(np.unique(seen, axis=0)) == SHOT_FRAMES


def strangers(frames: list[RehearsalFrame], kinds: set[int]) -> list[tuple[set[int], int | None]]:
    """Of each shot, what the rightmost pixels of the right half show, and the hidden label."""
    return [
        (greys(frame.pictures[2][:, RIGHT:]), frame.hidden)
        for number, frame in enumerate(frames[::SHOT_FRAMES])
        if number % 6 in kinds
    ]


def test_stranger_is_a_still_of_unknown_or_one_whose_label_is_hidden() -> None:
    labels = ("apple", "birch", "cedar", "daisy", "unknown")
    stills = grey_stills([WIDE, WIDE, NARROW, NARROW, WIDE], labels)
    frames = list(rehearse(stills, 600, seed=1))
    assert not any(frame.truth[4] for frame in frames)
    for kinds in (STRANGER, BESIDE):
        shown = strangers(frames, kinds)
        assert len(shown) == 100
        for seen, hidden in shown:
            if hidden is not None:
                assert seen == {grey_of(hidden)}
        unknown = sum(seen == {grey_of(4)} for seen, _ in shown)
        assert 30 < unknown < 70  # half of a hundred, give or take four standard deviations
    assert all(hidden is not None or seen == {140} for seen, hidden in strangers(frames, STRANGER))


def test_nobody_is_a_stranger_to_a_label_beside_itself() -> None:
    stills = grey_stills([WIDE, NARROW], ("apple", "birch"))
    shots = list(rehearse(stills, 60, seed=2))[::SHOT_FRAMES]
    beside = [frame for number, frame in enumerate(shots) if number % 6 in BESIDE]
    # the one narrow still is both the character and the stranger, so its label must be answered
    assert all(frame.hidden is None and named_by(frame.truth) == {110} for frame in beside)


def test_without_unknown_every_stranger_is_hidden() -> None:
    frames = list(rehearse(grey_stills([WIDE, WIDE, NARROW]), 60, seed=3))
    assert all(hidden in (0, 1) for _, hidden in strangers(frames, STRANGER))


@pytest.mark.parametrize("size", [WIDE, NARROW])
def test_stills_of_one_shape_serve_for_full_frames_and_for_halves(size: tuple[int, int]) -> None:
    frames = list(rehearse(grey_stills([size, size]), 12, seed=4))
    assert [int(frame.truth.sum()) for frame in frames[::SHOT_FRAMES][:3]][0::2] == [1, 0]
    assert len(frames) == 12 * SHOT_FRAMES


def test_seed_repeats_the_frames_and_another_gives_others() -> None:
    stills = grey_stills([WIDE, WIDE, NARROW, NARROW])
    first, again, other = (
        np.stack([frame.pictures for frame in rehearse(stills, 12, seed)]) for seed in (5, 5, 6)
    )
    np.testing.assert_array_equal(first, again)
    assert not np.array_equal(first, other)
