"""Stills as moving pictures: where they stand, what a camera may leave out, bars and subtitles."""

from collections.abc import Sequence
from fractions import Fraction

import numpy as np
import pytest

from model.errors import ModelError
from model.rehearsal.shot_pictures import (
    Layout,
    draw_subtitle,
    fill_picture,
    mix,
    show_stills,
    with_overlay,
)
from model.scenes.seen import Picture

WIDE = Layout(160, 90)


def plain(grey: int, height: int = 90, width: int = 160) -> Picture:
    return np.full((height, width, 3), grey, np.uint8)


def shown(stills: Sequence[Picture], seed: int, layout: Layout = WIDE) -> list[Picture]:
    return list(show_stills(stills, layout, 10, np.random.default_rng(seed)))


@pytest.mark.parametrize(
    ("layout", "size"),
    [
        (Layout(640, 360), (360, 640)),
        (Layout(640, 360, Fraction(4, 3)), (360, 480)),
        (Layout(640, 480, Fraction(16, 9)), (360, 640)),
        (Layout(640, 360, Fraction(47, 20)), (272, 640)),
        (Layout(64, 64, Fraction(1, 3)), (64, 22)),
    ],
)
def test_the_picture_is_as_large_as_fits_with_even_sides(
    layout: Layout, size: tuple[int, int]
) -> None:
    assert layout.picture_size == size


@pytest.mark.parametrize("aspect", [Fraction(4, 3), Fraction(47, 20)])
def test_bars_are_black_and_even_on_both_sides(aspect: Fraction) -> None:
    layout = Layout(160, 90, aspect)
    height, width = layout.picture_size
    frame = layout.framed(plain(200, height, width))
    assert frame.shape == (90, 160, 3)
    rows, columns = (np.flatnonzero(frame.max(axis=axes)) for axes in ((1, 2), (0, 2)))
    assert (len(rows), len(columns)) == (height, width)
    assert abs(rows[0] - (89 - rows[-1])) <= 1
    assert abs(columns[0] - (159 - columns[-1])) <= 1
    assert (frame[rows[0] : rows[-1] + 1, columns[0] : columns[-1] + 1] == 200).all()


@pytest.mark.parametrize(
    ("width", "height", "aspect"),
    [(161, 90, None), (62, 90, None), (1922, 90, None), (160, 90, Fraction(4))],
)
def test_a_layout_that_no_video_can_have_is_refused(
    width: int, height: int, aspect: Fraction | None
) -> None:
    with pytest.raises(ModelError, match="give"):
        Layout(width, height, aspect)


@pytest.mark.parametrize("seed", range(6))
def test_two_stills_stand_left_and_right_whatever_the_camera_does(seed: int) -> None:
    for picture in shown([plain(50, 90, 80), plain(200, 90, 80)], seed):
        assert picture.shape == (90, 160, 3)
        assert (picture[:, :80] == 50).all()
        assert (picture[:, 80:] == 200).all()


@pytest.mark.parametrize("seed", range(12))
def test_nine_tenths_of_a_still_stay_in_the_picture(seed: int) -> None:
    still = plain(0)
    still[9:81, 16:144] = 255  # nine tenths of it are within a tenth of the edges
    for picture in shown([still], seed):
        inside = picture.min(axis=2) > 128
        # whatever a camera cuts off at one edge, no more than a tenth of the still is gone
        assert inside.sum() >= 72 * 128
        seen = picture[20:70, 35:125]
        assert (seen == 255).all()


def test_cameras_hold_pan_and_zoom() -> None:
    still = np.random.default_rng(0).integers(0, 256, (90, 160, 3), np.uint8)
    still = np.repeat(np.repeat(still[::10, ::10], 10, axis=0), 10, axis=1)
    kinds = set()
    for seed in range(20):
        pictures = shown([still], seed)
        is_whole = [bool((picture == still).all()) for picture in (pictures[0], pictures[-1])]
        kinds.add(tuple(is_whole))
        assert all(is_whole) == (not np.diff(np.stack(pictures).astype(int), axis=0).any())
    assert kinds == {(True, True), (False, False), (True, False), (False, True)}


def test_a_lone_half_stands_on_either_side_before_itself_out_of_focus() -> None:
    half = plain(0, 90, 80)
    half[::4] = 255  # lines that are gone out of focus
    sides = set()
    for seed in range(8):
        picture = shown([half], seed)[0].astype(int)
        sharp = [
            np.abs(np.diff(part[:, :, 0], axis=0)).max() > 100
            for part in (picture[:, :80], picture[:, 80:])
        ]
        assert sum(sharp) == 1
        sides.add(sharp.index(True))
    assert sides == {0, 1}


def test_a_wide_still_in_a_half_is_seen_whole() -> None:
    wide = plain(100)
    wide[:, :10], wide[:, -10:] = 255, 0
    # where the camera is held, both edges are there
    held = next(
        picture
        for seed in range(20)
        if (picture := shown([wide, wide], seed)[0])[45, :80, 0].max() == 255
        and picture[45, :80, 0].min() == 0
    )
    assert (held[30:60, 10:70] == 100).all()


def test_a_clips_picture_fills_the_layout_without_changing_shape() -> None:
    square = plain(10, 100, 100)
    square[:, 45:55] = 240
    filled = fill_picture(square, WIDE)
    assert filled.shape == (90, 160, 3)
    stripe = np.flatnonzero(filled[45, :, 0] > 128)
    assert 14 <= len(stripe) <= 18  # a tenth of 160


def test_a_mix_has_the_share_of_the_later_picture() -> None:
    assert (mix(plain(100), plain(200), 0.25) == 125).all()


def test_a_subtitle_is_white_on_black_edges_in_the_lower_part_alone() -> None:
    overlay = draw_subtitle(360, 640, "Wait for me!")
    painted = with_overlay(plain(128, 360, 640), overlay)
    changed = (painted != 128).any(axis=2)
    rows, columns = np.flatnonzero(changed.any(axis=1)), np.flatnonzero(changed.any(axis=0))
    assert rows[0] > 0.8 * 360
    assert rows[-1] < 0.97 * 360
    assert abs(columns[0] + columns[-1] - 639) <= 4
    assert painted.max() == 255
    assert painted.min() == 0
