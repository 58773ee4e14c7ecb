"""Each change does what it says and leaves the rest alone."""

from collections.abc import Callable
from typing import Any

import numpy as np
import pytest
from numpy.typing import NDArray
from PIL import Image

from model.pictures.preprocess import FINE, TASK, Preprocessing
from model.scenes.changes import (
    blend,
    by_night,
    compress,
    dye,
    erase,
    in_sepia,
    overlay_logo,
    overlay_subtitle,
    patch,
    place,
    recolour,
    soften,
)
from tests.stills.still_folders import blobs

SIZES = [(100, 176), (176, 132), (97, 131), (50, 61), (64, 64), (96, 95), (300, 1), (1, 1)]
"""Of pictures: wide, high, of odd sides, that are not shrunk, and as narrow as can be."""

UNCHANGED: dict[str, Any] = {"mirrored": False, "zoom": 1.0, "stretch": 1.0, "shift": (0.0, 0.0)}


def noise(height: int, width: int, seed: int = 0) -> NDArray[np.uint8]:
    return np.random.default_rng(seed).integers(0, 256, (height, width, 3), np.uint8)


def placed(
    picture: NDArray[np.uint8], rule: Preprocessing, side: int = 0, **changes: Any
) -> NDArray[np.uint8]:
    return place(rule.fit(picture), rule, side or rule.side, **(UNCHANGED | changes))


@pytest.mark.parametrize("rule", [TASK, FINE])
@pytest.mark.parametrize("size", SIZES)
def test_unchanged_picture_is_what_inference_sees(
    size: tuple[int, int], rule: Preprocessing
) -> None:
    picture = noise(*size)
    seen = rule.preprocess(picture)
    np.testing.assert_array_equal(placed(picture, rule), seen)
    np.testing.assert_array_equal(placed(picture, rule, mirrored=True), seen[:, ::-1])


@pytest.mark.parametrize("rule", [TASK, FINE])
@pytest.mark.parametrize("side", [48, 64, 80, 96])
def test_at_another_side_the_same_is_seen(rule: Preprocessing, side: int) -> None:
    picture = blobs(3, 100, 176)
    resized = Image.fromarray(rule.preprocess(picture)).resize((side, side), Image.Resampling.BOX)
    found = placed(picture, rule, side)
    assert found.shape == (side, side, 3)
    assert found.dtype == np.uint8
    # but for the edges between picture and black, where a pixel is one or the other
    difference = np.abs(found.astype(int) - np.asarray(resized).astype(int))
    assert np.median(difference) <= 3
    assert difference.mean() < 4


def white_part(picture: NDArray[np.uint8]) -> tuple[int, int, int, int]:
    """Top, left, height and width of what is white."""
    rows, columns = np.nonzero(picture[..., 0] > 127)
    return (
        int(rows.min()),
        int(columns.min()),
        int(np.ptp(rows)) + 1,
        int(np.ptp(columns)) + 1,
    )


@pytest.mark.parametrize(
    ("changes", "seen"),
    [
        ({}, (22, 22, 20, 20)),
        ({"zoom": 2.0}, (27, 27, 10, 10)),  # twice as far away
        ({"zoom": 0.5}, (12, 12, 40, 40)),
        ({"stretch": 2.0}, (12, 27, 40, 10)),  # half as wide and twice as high
        ({"shift": (6 / 84, 0.0)}, (22, 16, 20, 20)),  # the view moves right, things left
        ({"shift": (0.0, -6 / 84)}, (28, 22, 20, 20)),
        ({"shift": (6 / 84, 0.0), "mirrored": True}, (22, 28, 20, 20)),
    ],
)
def test_square_of_20_pixels_is_seen_where_the_table_says(
    changes: dict[str, Any], seen: tuple[int, int, int, int]
) -> None:
    picture = np.zeros((84, 84, 3), np.uint8)
    picture[32:52, 32:52] = 255
    found = white_part(placed(picture, TASK, **changes))
    assert found == pytest.approx(seen, abs=1)


def test_recolouring_multiplies_each_colour_and_cuts_off_at_white() -> None:
    picture = np.array([[[10, 100, 200]]], np.uint8)
    changed = recolour(picture, np.array([2.0, 1.0, 1.5]))
    assert changed.tolist() == [[[20, 100, 255]]]
    np.testing.assert_array_equal(recolour(noise(5, 5), np.ones(3)), noise(5, 5))
    assert not recolour(np.zeros((2, 2, 3), np.uint8), np.full(3, 1.9)).any()


def sharpness(picture: NDArray[np.uint8]) -> float:
    """Mean difference between neighbours."""
    return float(np.abs(np.diff(picture.astype(int), axis=1)).mean())


def test_softening_takes_detail_and_leaves_plain_areas() -> None:
    picture = noise(64, 64)
    soft, softer = soften(picture, 0.9), soften(picture, 0.35)
    assert sharpness(picture) > sharpness(soft) > sharpness(softer)
    assert softer.mean() == pytest.approx(picture.mean(), abs=1)
    plain = np.full((64, 64, 3), 77, np.uint8)
    np.testing.assert_array_equal(soften(plain, 0.35), plain)
    assert soften(plain, 0.001).shape == plain.shape


def test_compression_changes_little_at_best_and_more_the_lower_the_quality() -> None:
    picture = blobs(5, 64, 64)
    errors = [
        float(np.abs(compress(picture, quality).astype(int) - picture).mean())
        for quality in (95, 50, 15)
    ]
    assert 0 < errors[0] < errors[1] < errors[2] < 15
    red = np.full((16, 16, 3), (200, 10, 10), np.uint8)  # and not blue: colours keep their order
    np.testing.assert_allclose(compress(red, 90), red, atol=8)


def changed_part(before: NDArray[np.uint8], after: NDArray[np.uint8]) -> NDArray[np.bool_]:
    """(height, width), whether a pixel has changed."""
    assert after.shape == before.shape
    assert after.dtype == np.uint8
    return np.asarray((before != after).any(axis=2))


@pytest.mark.parametrize("side", [48, 64, 96])
def test_erasing_paints_one_rectangle_in_one_colour(side: int) -> None:
    picture = noise(side, side)
    before = picture.copy()
    for seed in range(40):
        after = erase(picture, np.random.default_rng(seed))
        rows, columns = np.nonzero(changed_part(picture, after))
        part = after[rows.min() : rows.max() + 1, columns.min() : columns.max() + 1]
        assert len(np.unique(part.reshape(-1, 3), axis=0)) == 1
        height, width = part.shape[:2]
        # 2 to 20 %, with half a pixel of rounding at each side
        assert (height + 1) * (width + 1) > 0.02 * side**2
        assert (height - 1) * (width - 1) < 0.2 * side**2
    np.testing.assert_array_equal(picture, before)


@pytest.mark.parametrize("side", [48, 64, 96])
def test_subtitle_is_written_along_the_bottom(side: int) -> None:
    picture = np.full((side, side, 3), 100, np.uint8)
    shares, darkest, brightest = [], [], []
    for seed in range(40):
        after = overlay_subtitle(picture, np.random.default_rng(seed))
        changed = changed_part(picture, after)
        assert not changed[: round(0.6 * side)].any()
        shares.append(changed.mean())
        darkest.append(after.min())
        brightest.append(after.max())
    assert np.median(brightest) > 150  # letters
    assert np.median(darkest) < 50  # and their dark edges
    assert np.median(shares) > 0.02
    assert max(shares) < 0.4
    assert (picture == 100).all()


@pytest.mark.parametrize("side", [48, 64, 96])
def test_logo_is_painted_into_a_corner(side: int) -> None:
    picture = np.zeros((side, side, 3), np.uint8)
    corners = set()
    for seed in range(40):
        changed = changed_part(picture, overlay_logo(picture, np.random.default_rng(seed)))
        rows, columns = np.nonzero(changed)
        assert 0 < changed.mean() < 0.03
        near = 0.23 * side  # three radii of 7 %, and rounding
        assert rows.max() < near or rows.min() > side - 1 - near
        assert columns.max() < near or columns.min() > side - 1 - near
        corners.add((rows.max() < near, columns.max() < near))
    assert len(corners) == 4
    assert not picture.any()


@pytest.mark.parametrize("change", [erase, overlay_logo, overlay_subtitle])
def test_change_is_repeated_by_the_seed(
    change: Callable[[NDArray[np.uint8], np.random.Generator], NDArray[np.uint8]],
) -> None:
    picture = blobs(7, 64, 64)
    first, again, other = (change(picture, np.random.default_rng(seed)) for seed in (1, 1, 2))
    np.testing.assert_array_equal(first, again)
    assert not np.array_equal(first, other)


def test_coloured_light_keeps_black_black_and_never_brightens() -> None:
    picture = noise(40, 40, 7)
    picture[:10] = 0
    greys = 0
    for seed in range(60):
        dyed = dye(picture, np.random.default_rng(seed))
        assert dyed.shape == picture.shape
        assert not dyed[:10].any()
        changes = dyed[10:].astype(float).mean(axis=(0, 1)) / picture[10:].mean(axis=(0, 1))
        assert changes.max() < 1.02  # rounding, and colours that are exchanged for their grey
        spread = (
            np.ptp(dyed[10:].astype(int), axis=2).mean()
            / np.ptp(picture[10:].astype(int), axis=2).mean()
        )
        greys += bool(changes.min() > 0.97 and spread < 0.6)
    assert 5 < greys < 28  # one in four


def test_blended_picture_is_as_much_of_each_as_it_says() -> None:
    one, other = np.full((8, 8, 3), 200, np.uint8), np.full((8, 8, 3), 40, np.uint8)
    shares = []
    for seed in range(200):
        blended, kept = blend(one, other, np.random.default_rng(seed))
        assert abs(blended.astype(float) - (kept * 200 + (1 - kept) * 40)).max() <= 0.5
        shares.append(kept)
    assert min(shares) >= 0.5  # the first is what the picture shows
    assert max(shares) > 0.99


def test_patched_picture_has_a_square_of_the_other_and_says_how_much_is_left() -> None:
    one, other = np.full((20, 20, 3), 200, np.uint8), np.full((20, 20, 3), 40, np.uint8)
    shares = []
    for seed in range(200):
        patched, kept = patch(one, other, np.random.default_rng(seed))
        theirs = (patched == 40).all(axis=2)
        assert theirs.sum() == pytest.approx((1 - kept) * 400)
        rows, columns = theirs.any(axis=1).sum(), theirs.any(axis=0).sum()
        assert rows == columns
        assert rows * columns == theirs.sum()
        shares.append(kept)
    assert np.mean(shares) == pytest.approx(0.5, abs=0.1)
    assert (one == 200).all()


def test_sepia_is_what_browsers_make_of_it() -> None:
    # Filter Effects Module Level 1, by hand: 100 * (0.393 + 0.769 + 0.189) = 135.1 and so on
    grey, red = np.full((1, 1, 3), 100, np.uint8), np.array([[[200, 0, 0]]], np.uint8)
    assert in_sepia(grey)[0, 0].tolist() == [135, 120, 94]
    assert in_sepia(red)[0, 0].tolist() == [79, 70, 54]
    assert (in_sepia(np.full((1, 1, 3), 255, np.uint8))[0, 0, :2] == 255).all()


@pytest.mark.parametrize("darkness", [0.2, 0.4, 0.6])
def test_night_is_dark_and_blue(darkness: float) -> None:
    day = np.full((2, 2, 3), 200, np.uint8)
    red, green, blue = by_night(day, darkness)[0, 0].tolist()
    assert red < green < blue <= 200
    assert red < 200 * (1 - darkness)
