"""Schedules of a training: the learning rate, the picture size, and which stills an epoch shows."""

import math
from collections.abc import Sequence
from typing import Final

import numpy as np
from numpy.typing import NDArray

from model.labels import UNKNOWN
from model.pictures.preprocess import shape_seen
from model.recipe import SIDE_STEP, Recipe

_GROWN_AT: Final = 0.6  # share of the epochs; the rest see pictures of the size used for inference


def learning_rate(recipe: Recipe, done_epochs: float) -> float:
    """Return the learning rate: linear warm-up, then cosine decay.

    Args:
        recipe: The recipe that gives the rates.
        done_epochs: Epochs done, from 0 to the recipe's epochs.
    """
    if done_epochs < recipe.warm_up_epochs:
        # never 0, so that the first step learns too
        return recipe.learning_rate * max(done_epochs, 0.05) / recipe.warm_up_epochs
    left = max(recipe.epochs - recipe.warm_up_epochs, 1e-9)
    done = (done_epochs - recipe.warm_up_epochs) / left
    height = recipe.learning_rate - recipe.final_learning_rate
    return recipe.final_learning_rate + height * (1 + math.cos(math.pi * done)) / 2


def side_at(recipe: Recipe, number: int) -> int:
    """Return the height and width of the pictures in pixels in this epoch, counted from 1."""
    side, _ = shape_seen(recipe.preprocessing)
    if not recipe.first_side:
        return side
    grown = min(1.0, (number - 1) / (recipe.epochs * _GROWN_AT))
    steps = round((side - recipe.first_side) / SIDE_STEP)
    return side - SIDE_STEP * (steps - math.floor(grown * steps))


def shown_per_epoch(
    counts: NDArray[np.int64], labels: Sequence[str], recipe: Recipe
) -> NDArray[np.int64]:
    """Return how many stills of each label an epoch shows.

    An epoch shows all stills of a known label, and repeats those of a rare label up to the recipe's
    floor, a share of the average over the known labels. `unknown` gets the recipe's share of the
    epoch, if the recipe sets one. If the epoch is then smaller than the recipe's least number, all
    counts grow in proportion.

    Args:
        counts: (labels,) number of stills of each label.
        labels: Names of the labels, in the order of `counts`.
        recipe: The recipe that gives the shares.
    """
    is_unknown = np.array([label == UNKNOWN for label in labels])
    known = (counts > 0) & ~is_unknown
    shown = counts.copy()
    if known.any():
        shown[known] = np.maximum(counts, math.ceil(recipe.label_floor * counts[known].mean()))[
            known
        ]
    if recipe.unknown_share:
        share = recipe.unknown_share / (1 - recipe.unknown_share)
        shown[is_unknown & (counts > 0)] = math.ceil(share * shown[known].sum())
    if 0 < shown.sum() < recipe.least_shown:
        shown = np.ceil(shown * (recipe.least_shown / shown.sum())).astype(np.int64)
    return shown


def epoch_order(
    label_numbers: NDArray[np.int64],
    labels: Sequence[str],
    recipe: Recipe,
    rng: np.random.Generator,
) -> NDArray[np.int64]:
    """Return the indices of an epoch's stills in the order in which they are shown.

    Stills of the same label are shown equally often; their counts differ by at most one.

    Args:
        label_numbers: (n,) label number of each still.
        labels: Names of the labels, by number.
        recipe: The recipe that gives the shares.
        rng: Random number generator.
    """
    counts = np.bincount(label_numbers, minlength=len(labels))
    drawn = []
    for label, wanted in enumerate(shown_per_epoch(counts, labels, recipe).tolist()):
        members = np.flatnonzero(label_numbers == label)
        if members.size:
            rounds, rest = divmod(wanted, members.size)
            drawn += [np.repeat(members, rounds), rng.permutation(members)[:rest]]
    return rng.permutation(np.concatenate(drawn))
