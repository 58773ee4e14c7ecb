"""Varied stills and their targets."""

from dataclasses import replace

import numpy as np
import pytest
from numpy.typing import NDArray

from model.dataset.stills import Stills
from model.labels import UNKNOWN
from model.pictures.preprocess import FINE, TASK, Preprocessing
from model.recipe import BASELINE, REGIONAL, Recipe
from model.scenes.augmentation import augmented_batch, cover, paste_halves
from tests.stills.grey_stills import grey_of, grey_stills

SHAPES_ONLY = replace(
    REGIONAL,
    pasted_halves=0.0,
    compressed=0.0,
    blurred=0.0,
    overlaid=0.0,
    erased=0.0,
    blended=0.0,
    patched=0.0,
)
"""Moves, sizes and colours alone: what is black stays black."""


def varied(
    stills: Stills, indices: NDArray[np.int64], recipe: Recipe, seed: int = 0, side: int = 0
) -> tuple[NDArray[np.uint8], NDArray[np.float32]]:
    rng = np.random.default_rng(seed)
    return augmented_batch(stills, indices, recipe, side or stills.preprocessing.side, rng)


@pytest.mark.parametrize("rule", [TASK, FINE])
def test_without_variation_training_sees_what_inference_sees(rule: Preprocessing) -> None:
    stills = grey_stills([(100, 176), (176, 132), (50, 60)], rule=rule)
    recipe = replace(BASELINE, preprocessing=rule.name)
    pictures, targets = varied(stills, np.array([2, 0]), recipe)
    np.testing.assert_array_equal(pictures, stills.inputs([2, 0]))
    np.testing.assert_array_equal(targets, [[0, 0, 1], [1, 0, 0]])


def test_mirroring_mirrors_about_half_of_the_pictures_and_changes_no_pixel() -> None:
    picture = np.random.default_rng(3).integers(0, 256, (84, 84, 3), np.uint8)
    stills = Stills.from_pictures(("apple", "birch"), [(picture, 0)], TASK)
    pictures, _ = varied(stills, np.zeros(100, np.int64), replace(BASELINE, mirror=True))
    seen = picture[10:74, 10:74]
    straight = sum(np.array_equal(found, seen) for found in pictures)
    mirrored = sum(np.array_equal(found, seen[:, ::-1]) for found in pictures)
    assert straight + mirrored == 100
    assert 30 < mirrored < 70


def test_pasted_picture_is_half_the_one_and_half_the_other() -> None:
    stills = grey_stills([(176, 132), (176, 132)])
    pictures, targets = varied(stills, np.zeros(20, np.int64), replace(BASELINE, pasted_halves=1.0))
    assert targets.sum(axis=1) == pytest.approx(1.0)
    assert targets[:, 0].min() == 0.5
    for picture, target in zip(pictures, targets, strict=True):
        middle_row = picture[32]
        shown = {int(middle_row[10, 0]), int(middle_row[53, 0])}
        assert shown == {grey_of(int(label)) for label in np.flatnonzero(target)}


@pytest.mark.parametrize(
    ("pasted", "found"),
    [
        (1.0, {(1, 0, 0), (1, 1, 0)}),  # beside itself, the other one or someone unknown
        (0.0, {(1, 0, 0)}),
    ],
)
def test_binary_target_has_both_of_two_characters_whole_and_no_stranger_beside_one(
    pasted: float, found: set[tuple[int, ...]]
) -> None:
    stills = grey_stills([(176, 132)] * 3, ("apple", "birch", UNKNOWN))
    recipe = replace(BASELINE, pasted_halves=pasted, loss="binary")
    _, targets = varied(stills, np.zeros(60, np.int64), recipe)
    assert {tuple(target) for target in targets} == found


def test_binary_target_of_strangers_alone_is_unknown() -> None:
    stills = grey_stills([(176, 132)] * 3, ("apple", "birch", UNKNOWN))
    recipe = replace(BASELINE, pasted_halves=0.5, loss="binary")
    _, targets = varied(stills, np.full(60, 2), recipe)
    assert {tuple(target) for target in targets} == {(0, 0, 1), (1, 0, 0), (0, 1, 0)}


def test_as_many_pictures_are_pasted_as_the_recipe_says() -> None:
    stills = grey_stills([(176, 132)] * 12)
    recipe = replace(BASELINE, pasted_halves=0.3)
    _, targets = varied(stills, np.zeros(400, np.int64), recipe)
    pasted = int((targets.max(axis=1) < 1).sum())
    # of 120 one in twelve is pasted beside itself: 110, give or take four standard deviations
    assert 74 < pasted < 146


@pytest.mark.parametrize("way", ["blended", "patched"])
def test_mixed_picture_has_as_much_of_both_targets_as_is_seen_of_each(way: str) -> None:
    stills = grey_stills([(64, 64), (64, 64)])  # no larger than what is seen: no black
    recipe = replace(BASELINE, **{way: 1.0})  # type: ignore[arg-type]
    pictures, targets = varied(stills, np.arange(40) % 2, recipe)
    greys = np.array([grey_of(0), grey_of(1)])
    for picture, target in zip(pictures, targets, strict=True):
        assert picture.mean() == pytest.approx(float(target @ greys), abs=0.6)
    assert targets.sum(axis=1) == pytest.approx(1.0)
    assert (targets.max(axis=1) < 1).sum() > 5  # others are mixed with one of the same label


def test_as_many_pictures_are_mixed_as_the_recipe_says() -> None:
    stills = grey_stills([(64, 64)] * 12)
    recipe = replace(BASELINE, blended=0.1, patched=0.2)
    _, targets = varied(stills, np.arange(1200) % 12, recipe)
    mixed = int((targets.max(axis=1) < 0.999).sum())
    # of 360 one in twelve meets its own label, and a few hardly any of another: 320, give or take
    assert 250 < mixed < 360


@pytest.mark.parametrize(("aspect", "height"), [(4 / 3, 63), (16 / 9, 47)])
def test_pasted_frame_has_its_aspect_on_the_canvas(aspect: float, height: int) -> None:
    stills = grey_stills([(176, 132), (176, 132)])
    frame = paste_halves(stills.picture(0), stills.picture(1), stills, aspect)
    assert frame.shape == (height, 84, 3)  # 84 / (4/3) and 84 / (16/9) = 47.25
    assert (frame[:, :42] == grey_of(0)).all()
    assert (frame[:, 42:] == grey_of(1)).all()


@pytest.mark.parametrize("size", [(30, 50), (50, 30), (10, 200), (40, 41)])
def test_cover_fills_the_frame_with_the_middle_of_the_picture(size: tuple[int, int]) -> None:
    picture = np.full((*size, 3), 9, np.uint8)
    height, width = size
    picture[height // 2 - 3 : height // 2 + 3, width // 2 - 3 : width // 2 + 3] = 200
    covered = cover(picture, 40, 40)
    assert covered.shape == (40, 40, 3)
    assert covered.min() >= 9
    assert covered[20, 20, 0] == 200


def test_varied_pictures_keep_black_bars_black_and_are_repeated_by_the_seed() -> None:
    stills = grey_stills([(20, 176)], ("apple", "birch"), FINE)
    first, again, other = (
        varied(stills, np.zeros(30, np.int64), SHAPES_ONLY, seed)[0] for seed in (9, 9, 10)
    )
    np.testing.assert_array_equal(first, again)
    assert not np.array_equal(first, other)
    assert not first[:, :16].any()
    assert len(np.unique(first.reshape(30, -1), axis=0)) == 30


@pytest.mark.parametrize("side", [64, 80, 96])
def test_full_variation_gives_pictures_of_the_side_that_is_asked_for(side: int) -> None:
    stills = grey_stills([(100, 176), (176, 132), (50, 60)], rule=FINE)
    pictures, targets = varied(stills, np.arange(60) % 3, REGIONAL, side=side)
    assert pictures.shape == (60, side, side, 3)
    assert pictures.dtype == np.uint8
    assert targets.shape == (60, 3)
    assert (targets.sum(axis=1) > 0.99).all()
    assert (targets.max(axis=1) <= 1).all()


def test_stills_themselves_stay_as_they_are() -> None:
    stills = grey_stills([(100, 176)], ("apple", "birch"), FINE)
    before = stills.picture(0).copy()
    varied(stills, np.zeros(40, np.int64), REGIONAL)
    np.testing.assert_array_equal(stills.picture(0), before)
