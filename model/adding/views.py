"""Scenes of the stills of added labels, seen by the network that they are added to.

Stills are dealt into folds, near-duplicates together, and each scene is made of the stills of one
fold alone: what is learnt from some folds is tried on another that it has nothing in common with.
"""

from dataclasses import dataclass
from typing import Final

import numpy as np
from numpy.typing import NDArray

from model.adding.features import DenseFeatures
from model.adding.stills import AddedStills
from model.dataset.stills import Stills
from model.labels import known_labels
from model.pictures.preprocess import WholeFrame
from model.progress import Progress
from model.recipe import Recipe
from model.scenes.batches import SceneBatches
from model.scenes.whereabouts import Whereabouts

FOLDS: Final = 4
"""Three quarters of the stills are learnt from while the others are asked: with 10 stills too."""

_VIEWS: Final = 480
"""Scenes that are led by a label's stills, whatever their number: of 20 stills 24 each."""

_LEAST_VIEWS: Final = 4  # of a still: from closer and farther, alone and beside others


@dataclass(frozen=True)
class Views:
    """n scenes, and what is known of who is where in them."""

    features: NDArray[np.float16]
    """(n, places, features)"""
    places: NDArray[np.float32]
    """(n, places, 2 labels), as `model.scenes.place_targets.Targets` has them."""
    picture: NDArray[np.float32]
    """(n, 2 labels), likewise."""
    folds: NDArray[np.int64]
    """(n,) whose stills each is made of."""

    def without(self, fold: int) -> "Views":
        """Return the scenes of all other folds."""
        kept = self.folds != fold
        return Views(self.features[kept], self.places[kept], self.picture[kept], self.folds[kept])


def deal_out(added: AddedStills, seed: int) -> NDArray[np.int64]:
    """Return the fold (n,) of each still: of a label's near-duplicates the same one."""
    rng = np.random.default_rng(seed)
    folds = np.empty(len(added.groups), np.int64)
    which = rng.permutation(np.unique(added.groups))
    filled = np.zeros((FOLDS, len(added.stills.labels)), np.int64)
    for group in which:
        members = np.flatnonzero(added.groups == group)
        labels = np.unique(added.stills.label_numbers[members])
        fold = int(filled[:, labels].sum(axis=1).argmin())
        folds[members] = fold
        filled[fold] += np.bincount(added.stills.label_numbers[members], minlength=filled.shape[1])
    return folds


def views_of(
    added: AddedStills,
    folds: NDArray[np.int64],
    seen: DenseFeatures,
    recipe: Recipe,
    tell: Progress,
) -> Views:
    """Make scenes of each fold's stills, and look at them.

    Args:
        added: the stills.
        folds: (n,) of each still.
        seen: the network.
        recipe: how scenes vary.
        tell: takes a step's name, how much of it is done, and how much there is.
    """
    rng = np.random.default_rng(recipe.seed)
    parts: list[tuple[NDArray[np.float16], NDArray[np.float32], NDArray[np.float32], int]] = []
    leads = [_leads(added, np.flatnonzero(folds == fold)) for fold in range(FOLDS)]
    done, total = 0, sum(map(len, leads))
    for fold in range(FOLDS):
        members = np.flatnonzero(folds == fold)
        if not len(members):
            continue
        stills = added.stills.chosen(members)
        scenes = SceneBatches(stills, Whereabouts.as_drawn(stills), recipe)
        for start in range(0, len(leads[fold]), seen.batch_size):
            tell("Looking at stills", done, total)
            some = leads[fold][start : start + seen.batch_size]
            pictures, targets = scenes.batch(some, rng)
            features = seen.of(pictures)
            flat = (len(some), -1)
            parts.append(
                (
                    features.reshape(*flat, features.shape[-1]).astype(np.float16),
                    targets.places.reshape(*flat, targets.places.shape[-1]),
                    targets.picture,
                    fold,
                )
            )
            done += len(some)
    tell("Looking at stills", total, total)
    features16, places, picture, numbers = zip(*parts, strict=True)
    sizes = [len(each) for each in features16]
    return Views(
        np.concatenate(features16),
        np.concatenate(places),
        np.concatenate(picture),
        np.repeat(np.array(numbers, np.int64), sizes),
    )


def plain_features(stills: Stills, seen: DenseFeatures, frame: WholeFrame) -> NDArray[np.float16]:
    """Return (n, places, features) of stills as they are."""
    parts = []
    for start in range(0, len(stills), seen.batch_size):
        some = range(start, min(start + seen.batch_size, len(stills)))
        features = seen.of(stills.inputs(some, frame))
        parts.append(features.reshape(len(some), -1, features.shape[-1]).astype(np.float16))
    return np.concatenate(parts)


def _leads(added: AddedStills, members: NDArray[np.int64]) -> NDArray[np.int64]:
    """Return which of a fold's stills lead its scenes, as indices into the fold."""
    leads = []
    for number in range(len(known_labels(added.stills.labels))):
        own = np.flatnonzero(added.stills.label_numbers[members] == number)
        times = max(_LEAST_VIEWS, round(_VIEWS / len(added.of(number))))
        leads.append(np.tile(own, times))
    return np.concatenate(leads).astype(np.int64)
