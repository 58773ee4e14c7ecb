"""Recipes changed for a version to begin with, or for other epochs."""

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
"""Of a dense network that is trained on few pictures, mostly from random weights: less than half an
hour of two fast cores."""


def recipe_for(name: str | None, dataset: DatasetManifest, start: Manifest | None = None) -> Recipe:
    """Return the recipe of a name, or the one for a dataset of which nothing else is said.

    Args:
        name: of the recipe; None for what `usual_recipe` or, with a start, `recipe_to_go_on` takes.
        dataset: to be learnt.
        start: of the version whose weights training begins with.

    Raises:
        ModelError: there is no recipe of that name, or it is not for the start's network.
    """
    if start is not None:
        return recipe_to_go_on(name, start, dataset)
    return usual_recipe(dataset) if name is None else recipe_named(name)


def usual_recipe(dataset: DatasetManifest) -> Recipe:
    """Return the recipe for a dataset of which nothing else is said.

    A dense network learns places from boxes: without any, `regional`. With boxes `strong`, for as
    many epochs as it takes to learn from few pictures.
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
        name: of the recipe, for the version's network as `with_network_of` makes it. None for one
            of the version's own kind: `further` if it knows at least half of the labels; of those
            of another series it has everything to learn, and takes as long as without a start.
        start: of the version.
        dataset: to be learnt.

    Raises:
        ModelError: there is no recipe of that name, or it is not for such a network.
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
    """Return a recipe for a model version's network, and for pictures as that looks at them.

    Where this takes pictures of one side alone, they do not grow. A dense network can begin with
    the trunk of a residual one: it stays what it is. What is trained does not glance.

    Raises:
        ModelError: the version's looks are beyond what recipes may say.
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
    """Return a recipe for another number of epochs, whereabouts corrected as early in them.

    Nothing in it takes longer than they do.

    Raises:
        ModelError: there are too few or too many.
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
    """Return an epoch as far into a training of another length; never before the first one."""
    return max(1, round(after * wanted / epochs)) if after else 0
