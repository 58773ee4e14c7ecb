"""Adapt recipes to a start, or to another number of epochs."""

from dataclasses import replace
from math import ceil
from typing import Final

import numpy as np

from model.dataset.folder import DatasetManifest
from model.labels import known_labels
from model.recipe import FURTHER, REGIONAL, REGIONAL_FURTHER, STRONG, Recipe, recipe_named
from model.training.schedule import shown_per_epoch
from model.version.manifest import Manifest

LEAST_DENSE_STEPS: Final = 1800
"""Least training steps of a dense network on few pictures, mostly from random weights: less than
half an hour on two fast cores."""


def recipe_for(name: str | None, dataset: DatasetManifest, start: Manifest | None = None) -> Recipe:
    """Return the recipe with a name, or the default recipe for a dataset.

    Args:
        name: Name of the recipe; None for that of `usual_recipe` or, with a start, of
            `recipe_to_go_on`.
        dataset: The dataset to train on.
        start: Manifest of the version whose weights initialise the network.

    Raises:
        ModelError: The name is unknown, or the recipe does not fit the start's network.
    """
    if start is not None:
        return recipe_to_go_on(name, start, dataset)
    return usual_recipe(dataset) if name is None else recipe_named(name)


def usual_recipe(dataset: DatasetManifest) -> Recipe:
    """Return the default recipe for a dataset.

    A dense network needs boxes to learn places. The default is therefore `regional` for a dataset
    without boxes, and `strong` for one with boxes, with more epochs if there are few pictures.
    """
    return REGIONAL if dataset.boxes is None else _strong_for(dataset)


def _strong_for(dataset: DatasetManifest) -> Recipe:
    counts = np.array(dataset.counts["train"], np.int64)
    shown = int(shown_per_epoch(counts, dataset.labels, STRONG).sum())
    steps = max(1, shown // STRONG.batch_size)
    return with_epochs(STRONG, max(STRONG.epochs, ceil(LEAST_DENSE_STEPS / steps)))


def recipe_to_go_on(name: str | None, start: Manifest, dataset: DatasetManifest) -> Recipe:
    """Return a recipe for a training that begins with a version's weights.

    Args:
        name: Name of the recipe, adapted to the version's network by `with_network_of`. None for a
            recipe of the version's own kind: `further` if the version knows at least half of the
            labels. Otherwise, as with another series, it has to learn everything, and takes as long
            as without a start.
        start: Manifest of the version.
        dataset: The dataset to train on.

    Raises:
        ModelError: The name is unknown, or the recipe does not fit such a network.
    """
    if name is not None:
        recipe = recipe_named(name)
    elif _knows_half(start, dataset):
        recipe = FURTHER
    else:
        recipe = _strong_for(dataset) if start.is_dense else usual_recipe(dataset)
    if recipe is FURTHER and not start.is_dense:
        recipe = REGIONAL_FURTHER
    return with_network_of(recipe, start)


def _knows_half(start: Manifest, dataset: DatasetManifest) -> bool:
    labels = known_labels(dataset.labels)
    return 2 * sum(label in start.labels for label in labels) >= len(labels)


def with_network_of(recipe: Recipe, manifest: Manifest) -> Recipe:
    """Return a recipe adapted to a model version's network, preprocessing and looks.

    If the network accepts one input size only, the size does not grow. A dense network can begin
    with the backbone of a residual one: its recipe stays unchanged. Training never glances.

    Raises:
        ModelError: Recipes do not allow the version's looks.
    """
    if recipe.is_dense and manifest.network == "residual":
        return recipe
    return replace(
        recipe,
        first_side=recipe.first_side if manifest.network == "residual" else 0,
        network=manifest.network,
        network_parameters=manifest.network_parameters,
        preprocessing=manifest.preprocessing,
        closer_view=manifest.closer_view,
    )


def with_epochs(recipe: Recipe, epochs: int) -> Recipe:
    """Return a recipe for another number of epochs, with corrections at the same relative times.

    Warm-up and averaging are limited to that number.

    Raises:
        ModelError: There are too few or too many epochs.
    """
    return replace(
        recipe,
        epochs=epochs,
        warm_up_epochs=min(recipe.warm_up_epochs, epochs),
        average_epochs=min(recipe.average_epochs, epochs),
        corrected_after=tuple(
            sorted({_moved(after, recipe.epochs, epochs) for after in recipe.corrected_after})
        ),
    )


def _moved(after: int, epochs: int, wanted: int) -> int:
    """Return the epoch at the same relative time of another length; never before the first."""
    return max(1, round(after * wanted / epochs)) if after else 0
