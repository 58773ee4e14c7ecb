"""Frames made of stills: who is in them is known by the greys that they show."""

import numpy as np
import pytest
from numpy.typing import NDArray

from model.preprocess import FINE, TASK, Preprocessing
from model.rehearsal import RehearsalFrame, rehearse
from tests.grey_stills import grey_of, grey_stills, greys

WIDE, NARROW = (100, 176), (176, 132)
ONE, TWO, STRANGER, BESIDE = {0, 3}, {1, 4}, {2}, {5}
"""The kinds of frames by their number modulo six."""


def named_by(truth: NDArray[np.bool_]) -> set[int]:
    return {grey_of(int(label)) for label in np.flatnonzero(truth)}


@pytest.mark.parametrize("rule", [TASK, FINE])
def test_frames_show_exactly_the_characters_of_their_truth(rule: Preprocessing) -> None:
    stills = grey_stills([WIDE, WIDE, NARROW, NARROW], rule=rule)
    for number, frame in enumerate(rehearse(stills, 60, seed=0)):
        assert frame.pictures.shape == (3, rule.side, rule.side, 3)
        full, left, right = map(greys, frame.pictures)
        named, kind = named_by(frame.truth), number % 6
        assert {max(left), max(right)} <= full  # an edge where halves meet is blended
        if kind in ONE:
            assert full == left == right == named
            assert max(named) < grey_of(2)
        elif kind in TWO:
            assert left | right == named
            assert min(named) >= grey_of(2)
        elif kind in STRANGER:
            assert not named
        else:
            assert left == named
        assert (frame.hidden is not None) <= (kind in STRANGER | BESIDE)


def strangers(frames: list[RehearsalFrame], kinds: set[int]) -> list[tuple[set[int], int | None]]:
    """What the right half shows, and which label is hidden."""
    return [
        (greys(frame.pictures[2]), frame.hidden)
        for number, frame in enumerate(frames)
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
    beside = [frame for n, frame in enumerate(rehearse(stills, 60, seed=2)) if n % 6 in BESIDE]
    # the one narrow still is both the character and the stranger, so its label must be answered
    assert all(frame.hidden is None and named_by(frame.truth) == {110} for frame in beside)


def test_without_unknown_every_stranger_is_hidden() -> None:
    frames = list(rehearse(grey_stills([WIDE, WIDE, NARROW]), 60, seed=3))
    assert all(hidden in (0, 1) for _, hidden in strangers(frames, STRANGER))


@pytest.mark.parametrize("size", [WIDE, NARROW])
def test_stills_of_one_shape_serve_for_full_frames_and_for_halves(size: tuple[int, int]) -> None:
    frames = list(rehearse(grey_stills([size, size]), 12, seed=4))
    assert [int(frame.truth.sum()) for frame in frames[:3]][0::2] == [1, 0]
    assert len(frames) == 12


def test_seed_repeats_the_frames_and_another_gives_others() -> None:
    stills = grey_stills([WIDE, WIDE, NARROW, NARROW])
    first, again, other = (
        np.stack([frame.pictures for frame in rehearse(stills, 12, seed)]) for seed in (5, 5, 6)
    )
    np.testing.assert_array_equal(first, again)
    assert not np.array_equal(first, other)
