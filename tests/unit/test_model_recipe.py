"""Recipes check themselves and are found by their names."""

from dataclasses import fields, replace
from typing import Any

import pytest

from model.errors import ModelError
from model.recipe import (
    BASELINE,
    FURTHER,
    QUICK,
    STRONG,
    Recipe,
    recipe_named,
    with_epochs,
    with_glance,
    with_network_of,
)
from tests.models import manifest_by_lot


@pytest.mark.parametrize(
    "change",
    [
        {"epochs": -1},
        {"patience_epochs": -1},
        {"batch_size": 0},
        {"batch_size": 5000},
        {"learning_rate": 0.0},
        {"final_learning_rate": 0.002},  # above the highest
        {"warm_up_epochs": 13.5},  # of 13
        {"average_epochs": 14.0},
        {"first_side": 65},  # of 64
        {"label_smoothing": 0.6},
        {"unknown_share": 0.6},
        {"pasted_halves": 1.1},
        {"erased": -0.1},
        {"zoom": float("nan")},
        {"seed": -1},
        {"optimizer": "lbfgs"},
        {"loss": "hinge"},
        {"preprocessing": "fit100_crop90"},
    ],
)
def test_number_out_of_bounds_is_refused_by_its_name(change: dict[str, Any]) -> None:
    with pytest.raises(ModelError, match=next(iter(change))) as caught:
        replace(BASELINE, **change)
    assert "\n" not in str(caught.value)


@pytest.mark.parametrize("side", [16, 31, 40, 65, 95, 112, -16])
def test_first_side_that_does_not_grow_to_the_last_in_steps_is_refused(side: int) -> None:
    # pictures of 96: 16 below are 80, then 64, 48 and 32, which five halvings make a single pixel
    for sound in (0, 32, 48, 64, 80, 96):
        assert replace(STRONG, first_side=sound).first_side == sound
    with pytest.raises(ModelError, match=f"first_side is {side}; .* 0, 32, 48, 64, 80, 96") as told:
        replace(STRONG, first_side=side)
    assert "\n" not in str(told.value)


@pytest.mark.parametrize("name", ["first_side", "glance_side"])
def test_network_of_one_side_takes_no_other(name: str) -> None:
    with pytest.raises(ModelError, match=f"{name} is 48; network baseline takes 0"):
        replace(BASELINE, **{name: 48})  # type: ignore[arg-type]


@pytest.mark.parametrize(
    ("side", "clear", "message"),
    [
        (31, 0.9, "glance_side is 31; network residual takes 0 or 32 to 95"),
        (96, 0.9, "glance_side is 96; network residual takes 0 or 32 to 95"),
        (0, 0.9, "glance_clear is 0.9; give 0 without a glance_side"),
        (64, 0.0, "glance_clear is 0.0; give 0 without a glance_side, and between 0.5 and 1 with"),
        (64, 0.5, "glance_clear is 0.5"),
        (64, 1.0, "glance_clear is 1.0"),
        (64, 1.5, "glance_clear is 1.5"),
    ],
)
def test_glance_of_no_such_side_or_confidence_is_refused(
    side: int, clear: float, message: str
) -> None:
    for sound in (32, 64, 95):
        assert replace(STRONG, glance_side=sound, glance_clear=0.9).looks.glance_side == sound
    with pytest.raises(ModelError, match=message):
        replace(STRONG, glance_side=side, glance_clear=clear)


def test_every_number_of_a_recipe_is_bounded() -> None:
    no_numbers = ("network", "network_parameters", "preprocessing", "optimizer", "loss")
    for field in fields(Recipe):
        if field.name not in (*no_numbers, "mirror", "bfloat16"):
            with pytest.raises(ModelError, match=field.name):
                replace(BASELINE, **{field.name: 1e30})  # type: ignore[arg-type]


def test_recipes_have_names() -> None:
    assert recipe_named("baseline") is BASELINE
    assert recipe_named("strong") is STRONG
    with pytest.raises(ModelError, match="use baseline, strong, large or further"):
        recipe_named("weak")


def test_baseline_is_the_tasks() -> None:
    # the original task: 13 epochs, batches of 40, 64x64 cut out of 84x84, nothing varied
    assert (BASELINE.epochs, BASELINE.batch_size, BASELINE.network) == (13, 40, "baseline")
    assert BASELINE.preprocessing == QUICK.preprocessing == "fit84_crop64"
    shown = ("mirror", "shift", "zoom", "brightness", "pasted_halves", "erased", "dyed", "blended")
    varied = (*shown, "patched", "label_smoothing", "bfloat16")
    assert not any(getattr(BASELINE, name) for name in varied)


def test_nothing_in_a_recipe_takes_longer_than_its_epochs() -> None:
    for epochs in (1, 2):
        short = with_epochs(STRONG, epochs)
        assert short.epochs == short.warm_up_epochs == short.average_epochs == epochs
    assert with_epochs(STRONG, 3) == replace(STRONG, epochs=3)
    # a checkpoint of the recipe as it stands must go on being one of it
    assert repr(with_epochs(STRONG, STRONG.epochs)) == repr(STRONG)
    with pytest.raises(ModelError, match="epochs is 20000"):
        with_epochs(STRONG, 20_000)


def test_glance_is_at_two_thirds_of_the_side_and_can_be_turned_off() -> None:
    glancing = with_glance(STRONG, True)
    assert glancing == replace(STRONG, glance_side=64, glance_clear=0.99)
    assert with_glance(glancing, False) == STRONG
    with pytest.raises(ModelError, match="glance_side is 43; network baseline takes 0"):
        with_glance(BASELINE, True)


def test_recipe_for_a_versions_network_changes_nothing_but_that_network() -> None:
    manifest = manifest_by_lot(closer_view=0.5)
    found = with_network_of(FURTHER, manifest)
    looks = ("closer_view", "glance_side", "glance_clear")
    same = ("network", "network_parameters", "preprocessing", *looks)
    assert FURTHER.first_side == 0
    for name in same:
        assert getattr(found, name) == getattr(manifest, name)
    assert replace(found, **{name: getattr(FURTHER, name) for name in same}) == FURTHER


def test_pictures_do_not_grow_for_a_network_of_one_side() -> None:
    assert STRONG.first_side == 64
    assert with_network_of(STRONG, manifest_by_lot()).first_side == 0
