"""Recipes check themselves and are found by their names."""

from dataclasses import fields, replace
from typing import Any

import pytest

from model.dataset.folder import DatasetManifest, Shard
from model.errors import ModelError
from model.recipe import (
    BASELINE,
    FURTHER,
    QUICK,
    REGIONAL,
    REGIONAL_FURTHER,
    STRONG,
    Recipe,
    recipe_named,
)
from model.recipe_changes import (
    recipe_to_go_on,
    usual_recipe,
    with_epochs,
    with_network_of,
)
from tests.stills.models import manifest_by_lot


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
        {"least_shown": -1},
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
        assert replace(REGIONAL, first_side=sound).first_side == sound
    with pytest.raises(ModelError, match=f"first_side is {side}; .* 0, 32, 48, 64, 80, 96") as told:
        replace(REGIONAL, first_side=side)
    assert "\n" not in str(told.value)


def test_network_of_one_side_takes_no_other() -> None:
    with pytest.raises(ModelError, match="first_side is 48; network baseline takes 0"):
        replace(BASELINE, first_side=48)


def test_every_number_of_a_recipe_is_bounded() -> None:
    no_numbers = ("network", "network_parameters", "preprocessing", "optimizer", "loss")
    for field in fields(Recipe):
        if field.name not in (*no_numbers, "mirror", "bfloat16"):
            huge = (1e30,) if field.name == "corrected_after" else 1e30
            with pytest.raises(ModelError, match=field.name):
                replace(BASELINE, **{field.name: huge})  # type: ignore[arg-type]


def test_recipes_have_names() -> None:
    assert recipe_named("baseline") is BASELINE
    assert recipe_named("strong") is STRONG
    assert recipe_named("regional") is REGIONAL
    with pytest.raises(ModelError, match="use baseline, strong, regional, large or further"):
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
        short = with_epochs(REGIONAL, epochs)
        assert short.epochs == short.warm_up_epochs == short.average_epochs == epochs
    assert with_epochs(REGIONAL, 3) == replace(REGIONAL, epochs=3)
    # a checkpoint of the recipe as it stands must go on being one of it
    assert repr(with_epochs(REGIONAL, REGIONAL.epochs)) == repr(REGIONAL)
    with pytest.raises(ModelError, match="epochs is 20000"):
        with_epochs(REGIONAL, 20_000)


@pytest.mark.parametrize(
    ("after", "epochs", "expected"),
    [
        ((1, 3), 5, (1, 3)),
        ((1, 3), 30, (6, 18)),
        ((1, 3), 2, (1,)),  # never before the first one: nothing is known then
        ((0,), 9, (0,)),
        ((), 9, ()),
    ],
)
def test_whereabouts_are_corrected_as_early_in_a_training_of_other_length(
    after: tuple[int, ...], epochs: int, expected: tuple[int, ...]
) -> None:
    recipe = replace(STRONG, corrected_after=after)
    assert with_epochs(recipe, epochs).corrected_after == expected


def test_recipe_for_a_versions_network_changes_nothing_but_that_network() -> None:
    manifest = manifest_by_lot(closer_view=0.5)
    found = with_network_of(REGIONAL_FURTHER, manifest)
    same = ("network", "network_parameters", "preprocessing", "closer_view")
    assert REGIONAL_FURTHER.first_side == 0
    for name in same:
        assert getattr(found, name) == getattr(manifest, name)
    same_again = {name: getattr(REGIONAL_FURTHER, name) for name in same}
    assert replace(found, **same_again) == REGIONAL_FURTHER


def test_pictures_do_not_grow_for_a_network_of_one_side() -> None:
    assert REGIONAL.first_side == 64
    assert with_network_of(REGIONAL, manifest_by_lot()).first_side == 0


DENSE: dict[str, Any] = {
    "network": "dense",
    "network_parameters": STRONG.network_parameters,
    "preprocessing": "fit256x192",
    "regions": ("full",),
}


@pytest.mark.parametrize(
    ("change", "message"),
    [
        ({"loss": "binary"}, "network dense cannot be trained with loss binary"),
        (
            {"preprocessing": "fit112_crop96"},
            "'fit112_crop96', which network dense does not accept",
        ),
        ({"first_side": 64}, "first_side is 64; network dense takes 0"),
        ({"closer_view": 0.875}, "closer_view is 0.875; give 0 to 0"),
        ({"corrected_after": (-1,)}, "corrected_after is .-1,.; give numbers of epochs"),
    ],
)
def test_dense_network_learns_and_looks_in_its_own_way(
    change: dict[str, Any], message: str
) -> None:
    with pytest.raises(ModelError, match=message):
        replace(STRONG, **change)


def test_no_other_network_learns_places() -> None:
    with pytest.raises(ModelError, match="network residual cannot be trained with loss places"):
        replace(REGIONAL, loss="places")


def dataset_of(
    stills: int, *, with_boxes: bool, labels: tuple[str, ...] = ("ant", "bee")
) -> DatasetManifest:
    """So many stills of each label in each part."""
    parts = ("train", "validation", "test")
    shards = {
        part: (Shard(f"{part}-00000-of-00001.tfrecord", len(labels) * stills, 1, "0" * 64),)
        for part in parts
    }
    return DatasetManifest(
        labels=labels,
        counts=dict.fromkeys(parts, (stills,) * len(labels)),
        others={},
        others_are_kept=False,
        split="grouped",
        seed=0,
        groups=1,
        test_with_train_twin=0,
        stored_side=320,
        fingerprint_sha256="0" * 64,
        sources=(),
        shards=shards,
        created_at="2026-01-01T00:00:00+00:00",
        boxes=dict.fromkeys(parts, (stills,) * len(labels)) if with_boxes else None,
        format=2 if with_boxes else 1,
    )


def test_without_boxes_parts_of_frames_are_learnt_and_with_boxes_whole_ones() -> None:
    assert usual_recipe(dataset_of(500, with_boxes=False)) == REGIONAL
    # 2 * 8,000 / 32 are 500 steps: five epochs are enough
    assert usual_recipe(dataset_of(8000, with_boxes=True)) == STRONG
    # an epoch of few stills shows 1,920, in 60 steps: 30 epochs make 1,800
    few = usual_recipe(dataset_of(160, with_boxes=True))
    assert few == replace(STRONG, epochs=30, corrected_after=(6, 18))


def test_who_goes_on_from_a_version_learns_as_its_kind_does() -> None:
    """Steps of `further`, of either kind, or a dense network that begins with a residual trunk."""
    residual = manifest_by_lot(
        network="residual", network_parameters={"widths": [8]}, preprocessing="fit112_crop96"
    )
    dense = manifest_by_lot(**DENSE)
    dataset = dataset_of(160, with_boxes=True, labels=residual.labels)
    assert recipe_to_go_on(None, dense, dataset) == FURTHER
    assert recipe_to_go_on("further", dense, dataset) == FURTHER
    for name in (None, "further"):
        for start in (residual, manifest_by_lot()):
            found = recipe_to_go_on(name, start, dataset)
            assert (found.epochs, found.learning_rate, found.loss) == (8, 1e-3, "binary")
            assert found.network == start.network
    assert recipe_to_go_on("strong", residual, dataset) == STRONG
    with pytest.raises(ModelError, match="network dense cannot be trained with loss binary"):
        recipe_to_go_on("regional", dense, dataset)


@pytest.mark.parametrize(
    ("known", "takes_long"),
    [(("ann", "bob", "cid"), False), (("ann", "bob", "zoe"), False), (("ann",), True), ((), True)],
)
def test_a_start_of_another_series_learns_as_long_as_none(
    known: tuple[str, ...], takes_long: bool
) -> None:
    labels = ("ann", "bob", "cid", "dot", "unknown")
    start = manifest_by_lot(**DENSE, labels=(*known, "another", "unknown"))
    few = dataset_of(160, with_boxes=True, labels=labels)
    found = recipe_to_go_on(None, start, few)
    assert found == (usual_recipe(few) if takes_long else FURTHER)
    without_boxes = dataset_of(160, with_boxes=False, labels=labels)
    assert recipe_to_go_on(None, start, without_boxes) == found
    residual = manifest_by_lot(labels=(*known, "another", "unknown"))
    assert (recipe_to_go_on(None, residual, without_boxes).epochs == 48) == takes_long
