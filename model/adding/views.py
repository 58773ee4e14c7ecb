"""Scenes of the stills of added labels, and the network's features for them.

Stills are split into folds, near-duplicates together, and each scene is composed of the stills of
one fold only: an output trained on some folds is tested on another that shares nothing with them.
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
"""Three quarters of the stills are for training, the others for testing; 10 stills suffice."""

_VIEWS: Final = 480
"""Number of scenes led by a label's stills, however many there are: with 20 stills 24 each."""

_LEAST_VIEWS: Final = 4  # scenes per still: zoomed in and out, alone and beside others


@dataclass(frozen=True)
class Views:
    """The features of n scenes, and their targets."""

    features: NDArray[np.float16]
    """(n, places, features)"""
    places: NDArray[np.float32]
    """(n, places, 2 labels), as in `model.scenes.place_targets.Targets`."""
    picture: NDArray[np.float32]
    """(n, 2 labels), likewise."""
    folds: NDArray[np.int64]
    """(n,) fold of each scene."""

    def without(self, fold: int) -> "Views":
        """Return the scenes of all other folds."""
        kept = self.folds != fold
        return Views(self.features[kept], self.places[kept], self.picture[kept], self.folds[kept])


def deal_out(added: AddedStills, seed: int) -> NDArray[np.int64]:
    """Return the fold (n,) of each still; near-duplicates of a label share a fold."""
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
    """Compose scenes of each fold's stills, and compute their features.

    Args:
        added: The stills.
        folds: (n,) fold of each still.
        seen: The network.
        recipe: Gives the strength of each augmentation.
        tell: Called with a step's name, and how much of it is done out of how much.
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
    """Return (n, places, features) of stills without augmentation."""
    parts = []
    for start in range(0, len(stills), seen.batch_size):
        some = range(start, min(start + seen.batch_size, len(stills)))
        features = seen.of(stills.inputs(some, frame))
        parts.append(features.reshape(len(some), -1, features.shape[-1]).astype(np.float16))
    return np.concatenate(parts)


def _leads(added: AddedStills, members: NDArray[np.int64]) -> NDArray[np.int64]:
    """Return the lead still of each of a fold's scenes, as indices into the fold."""
    leads = []
    for number in range(len(known_labels(added.stills.labels))):
        own = np.flatnonzero(added.stills.label_numbers[members] == number)
        times = max(_LEAST_VIEWS, round(_VIEWS / len(added.of(number))))
        leads.append(np.tile(own, times))
    return np.concatenate(leads).astype(np.int64)
