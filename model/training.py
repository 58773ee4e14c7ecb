"""The training loop: stills and a recipe in, a trained network out; same seed, same weights."""

import math
import time
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from model.augmentation import augmented_batch
from model.forward import ForwardPass
from model.networks import build_network
from model.preprocess import crop_middle
from model.recipe import Recipe
from model.stills import Stills
from model.tensorflow_runtime import load_tensorflow

_FORWARD_BATCH_SIZE = 96  # as the classifier's


@dataclass(frozen=True)
class Epoch:
    """How training stands after an epoch."""

    number: int
    """From 1."""
    epochs: int
    """How many there will be."""
    loss: float
    """Mean cross-entropy of the epoch's varied stills, in nats."""
    validation_accuracy: float
    """Share of the validation stills whose most likely label is right."""
    seconds: float
    """How long the epoch took."""


def train(
    stills: Stills,
    validation: Stills,
    recipe: Recipe,
    on_epoch: Callable[[Epoch], None] | None = None,
) -> Any:
    """Train a new network.

    Args:
        stills: to learn from.
        validation: to report on after each epoch; nothing is chosen by them.
        recipe: how.
        on_epoch: called after each epoch.

    Returns:
        The trained keras.Model, as `model.networks.build_network` describes it.
    """
    load_tensorflow()
    import keras

    network = build_network(
        recipe.network, recipe.network_parameters, stills.labels, seed=recipe.seed
    )
    network.compile(
        optimizer=keras.optimizers.Adam(recipe.learning_rate),
        loss=keras.losses.CategoricalCrossentropy(from_logits=True),
        jit_compile=False,  # a third slower with it, measured on CPU
    )
    forward = forward_pass(network)
    rng = np.random.default_rng(recipe.seed)
    for number in range(1, recipe.epochs + 1):
        started = time.monotonic()
        loss = _train_epoch(network, stills, recipe, number, rng)
        if on_epoch is not None:
            logits = forward.logits(network_inputs(validation))
            accuracy = float((logits.argmax(axis=1) == validation.label_numbers).mean())
            on_epoch(Epoch(number, recipe.epochs, loss, accuracy, time.monotonic() - started))
    return network


def forward_pass(network: Any) -> ForwardPass:
    """Return a network's forward pass in batches as a classifier has them."""
    return ForwardPass(network, _FORWARD_BATCH_SIZE)


def network_inputs(stills: Stills) -> NDArray[np.uint8]:
    """Return the stills as a network sees them at inference, (n, 64, 64, 3)."""
    return crop_middle(stills.canvases)


def _train_epoch(
    network: Any, stills: Stills, recipe: Recipe, number: int, rng: np.random.Generator
) -> float:
    """Show each still once, in a new order; what does not fill a batch waits for the next epoch."""
    batch_size = min(recipe.batch_size, len(stills))
    steps = len(stills) // batch_size
    order = rng.permutation(len(stills))[: steps * batch_size].reshape(steps, batch_size)
    losses = []
    for step, indices in enumerate(order):
        done = (number - 1 + step / steps) / recipe.epochs
        network.optimizer.learning_rate.assign(_learning_rate(recipe, done))
        pictures, targets = augmented_batch(stills, indices, recipe, rng)
        losses.append(float(network.train_on_batch(pictures, targets)))
        network.reset_metrics()
    return float(np.mean(losses))


def _learning_rate(recipe: Recipe, done: float) -> float:
    """Half a cosine from the first to the final rate; done is the share of steps taken, 0 to 1."""
    height = recipe.learning_rate - recipe.final_learning_rate
    return recipe.final_learning_rate + height * (1 + math.cos(math.pi * done)) / 2
