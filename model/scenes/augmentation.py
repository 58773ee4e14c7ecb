"""Augmentation of single stills, with new random changes in each epoch."""

from typing import Final

import numpy as np
from numpy.typing import NDArray

from model.dataset.stills import Stills
from model.labels import UNKNOWN
from model.pictures.preprocess import resize
from model.recipe import Recipe
from model.scenes.changes import (
    blend,
    compress,
    dye,
    erase,
    overlay_logo,
    overlay_subtitle,
    patch,
    place,
    recolour,
    soften,
)

_FRAME_ASPECTS: Final = (4 / 3, 16 / 9)  # aspect ratios of frames composed of two halves
_LOWEST_QUALITY, _HIGHEST_QUALITY = 15, 80  # JPEG quality, from visible blocks to none


def augmented_batch(
    stills: Stills,
    indices: NDArray[np.int64],
    recipe: Recipe,
    side: int,
    rng: np.random.Generator,
) -> tuple[NDArray[np.uint8], NDArray[np.float32]]:
    """Return augmented pictures of the stills at these indices, and their targets.

    Args:
        stills: The stills to choose from.
        indices: (n,) indices of the stills.
        recipe: Gives the strength of each augmentation.
        side: Height and width of the pictures in pixels; a smaller picture shows the same content.
        rng: Random number generator.

    Returns:
        Pictures (n, side, side, 3), and targets (n, labels). The target of a picture with two
        characters is half the one and half the other, or 1 for both where the recipe's loss is
        binary; it is `unknown` only if both are. With mixup and CutMix, the target of a picture is
        the mean of both targets, weighted by the visible share of each picture.
    """
    pictures = np.empty((len(indices), side, side, 3), np.uint8)
    targets = np.zeros((len(indices), len(stills.labels)), np.float32)
    for row, index in enumerate(indices):
        shown = [int(index)]
        picture = stills.picture(index)
        if rng.random() < recipe.pasted_halves:
            shown.append(int(rng.integers(len(stills))))
            left, right = (stills.picture(int(one)) for one in rng.permutation(shown))
            picture = paste_halves(left, right, stills, float(rng.choice(_FRAME_ASPECTS)))
        targets[row] = _target(stills, shown, recipe)
        pictures[row] = _vary(picture, stills, recipe, side, rng)
    return _mix(pictures, targets, recipe, rng)


def _target(stills: Stills, shown: list[int], recipe: Recipe) -> NDArray[np.float32]:
    """Return the target (labels,) of a picture that shows these stills."""
    shares = np.bincount(stills.label_numbers[shown], minlength=len(stills.labels)) / len(shown)
    if recipe.loss == "categorical":
        return shares.astype(np.float32)
    is_known = np.array([label != UNKNOWN for label in stills.labels])
    if shares[is_known].any():
        shares[~is_known] = 0
    return (shares > 0).astype(np.float32)


def paste_halves(
    left: NDArray[np.uint8], right: NDArray[np.uint8], stills: Stills, aspect: float
) -> NDArray[np.uint8]:
    """Return two pictures as the halves of a frame of this aspect ratio, fitted to the canvas."""
    width = stills.preprocessing.canvas_side
    height = round(width / aspect)
    return np.hstack([cover(left, height, width // 2), cover(right, height, width - width // 2)])


def cover(picture: NDArray[np.uint8], height: int, width: int) -> NDArray[np.uint8]:
    """Return a picture resized to cover this height and width, cropped to its centre."""
    scale = max(height / picture.shape[0], width / picture.shape[1])
    covering = resize(
        picture,
        max(height, round(picture.shape[0] * scale)),
        max(width, round(picture.shape[1] * scale)),
    )
    top, left = (covering.shape[0] - height) // 2, (covering.shape[1] - width) // 2
    return covering[top : top + height, left : left + width]


def _vary(
    picture: NDArray[np.uint8],
    stills: Stills,
    recipe: Recipe,
    side: int,
    rng: np.random.Generator,
) -> NDArray[np.uint8]:
    """Return the picture (side, side, 3) that a network sees, augmented."""
    seen = place(
        picture,
        stills.preprocessing,
        side,
        mirrored=recipe.mirror and rng.random() < 0.5,
        zoom=float(np.exp(rng.uniform(-recipe.zoom, recipe.zoom))),
        stretch=float(np.exp(rng.uniform(-recipe.stretch, recipe.stretch) / 2)),
        shift=tuple(rng.uniform(-recipe.shift, recipe.shift, 2)),
    )
    return varied(seen, recipe, rng)


def varied(seen: NDArray[np.uint8], recipe: Recipe, rng: np.random.Generator) -> NDArray[np.uint8]:
    """Return a picture (height, width, 3) changed like by lighting, lenses, channels and codecs."""
    # one factor for brightness and a smaller one for each colour channel; black bars stay black
    light, colours = rng.uniform(-1, 1), rng.uniform(-1, 1, 3)
    seen = recolour(seen, np.exp(light * recipe.brightness + colours * recipe.tint))
    # draw no number if the recipe dyes nothing, so that older recipes give the same results
    if recipe.dyed and rng.random() < recipe.dyed:
        seen = dye(seen, rng)
    if rng.random() < recipe.overlaid:
        seen = (overlay_subtitle if rng.random() < 0.5 else overlay_logo)(seen, rng)
    if rng.random() < recipe.blurred:
        seen = soften(seen, rng.uniform(0.35, 0.9))  # a face of 30 pixels becomes one of 10 to 27
    if rng.random() < recipe.compressed:
        seen = compress(seen, int(rng.integers(_LOWEST_QUALITY, _HIGHEST_QUALITY)))
    if rng.random() < recipe.erased:
        seen = erase(seen, rng)
    return seen


def _mix(
    pictures: NDArray[np.uint8],
    targets: NDArray[np.float32],
    recipe: Recipe,
    rng: np.random.Generator,
) -> tuple[NDArray[np.uint8], NDArray[np.float32]]:
    """Return a batch with mixup and CutMix applied to some pictures and their targets."""
    mixed, shares = pictures.copy(), targets.copy()
    others = rng.permutation(len(pictures))
    for row, (other, chance) in enumerate(zip(others, rng.random(len(pictures)), strict=True)):
        if chance >= recipe.blended + recipe.patched:
            continue
        way = blend if chance < recipe.blended else patch
        mixed[row], kept = way(pictures[row], pictures[other], rng)
        shares[row] = kept * targets[row] + (1 - kept) * targets[other]
    return mixed, shares
