"""The losses of a dense network: on its places (grid cells), its box edges, and the whole picture.

The loss on places is the focal cross-entropy (Lin et al., Focal Loss for Dense Object Detection,
2017), summed over all places and divided by the number of positive ones, as in Zhou et al., Objects
as Points, 2019. The loss on the picture is the cross-entropy of the mean of the most likely places:
it learns from stills that name their characters without boxes (Pinheiro and Collobert, From
Image-level to Pixel-level Labeling with Convolutional Networks, 2015).
"""

from typing import Any, Final

from model.networks.dense import EDGES, TOP_PLACES
from model.scenes.place_targets import Targets

PLACES, EDGE, PICTURE = "places", "edges", "picture"
"""The outputs of the network during training."""

_WEIGHTS: Final = {PLACES: 1.0, EDGE: 0.2, PICTURE: 0.5}

_FOCUS: Final = 2.0  # the exponent that Lin et al. found best
_PRESENT: Final = 4.0
"""Weight of a positive place: only one in some thousand places is positive."""

_FEW_PLACES: Final = 16.0
"""Added to the number of positive places: otherwise a batch with almost none would count as much as
one with hundreds."""

_FEW_LABELS: Final = 4.0  # the same for the loss on the whole picture
_SMALL_ERROR: Final = 0.3
"""Threshold of the Huber loss on the logarithm of an edge distance: an error of a third, below
which the loss is quadratic."""


def learning_network(network: Any, labels: int) -> Any:
    """Return a model that shares the network's weights and has three outputs, one for each loss.

    Args:
        network: A network that `model.networks.dense` built.
        labels: Number of labels.
    """
    import keras

    ops = keras.ops

    class TopPlaces(keras.layers.Layer):  # type: ignore[misc]  # Keras has no types
        """Average the highest logits: (batch, rows, columns, labels) to (batch, labels)."""

        def call(self, logits: Any) -> Any:
            rows, columns, count = logits.shape[1:]
            by_label = ops.transpose(ops.reshape(logits, (-1, rows * columns, count)), (0, 2, 1))
            return ops.mean(ops.top_k(by_label, min(TOP_PLACES, rows * columns))[0], axis=-1)

    logits = network.output[..., :labels]
    return keras.Model(
        network.input,
        {
            PLACES: logits,
            EDGE: network.output[..., labels:],
            PICTURE: TopPlaces(dtype="float32", name="top_places")(logits),
        },
        name="learning",
    )


def compile_learning(network: Any, optimizer: Any) -> None:
    """Compile a learning network with its losses and metrics."""
    import keras

    network.compile(
        optimizer=optimizer,
        loss={PLACES: _places_loss, EDGE: _edges_loss, PICTURE: _picture_loss},
        loss_weights=dict(_WEIGHTS),
        metrics={PICTURE: [keras.metrics.MeanMetricWrapper(_found, name="found")]},
        jit_compile=keras.backend.backend() == "jax",
    )


def by_output(targets: Targets) -> dict[str, Any]:
    """Return targets as a dict from output name to target."""
    return {PLACES: targets.places, EDGE: targets.edges, PICTURE: targets.picture}


def _places_loss(targets: Any, logits: Any) -> Any:
    from keras import ops

    right, counts = ops.split(targets, 2, axis=-1)
    likely = ops.sigmoid(logits)
    missed = right * (1 - likely) + (1 - right) * likely
    weight = counts * (1 + (_PRESENT - 1) * right) * missed**_FOCUS
    return ops.sum(weight * _cross_entropy(right, logits)) / (ops.sum(right * counts) + _FEW_PLACES)


def _edges_loss(targets: Any, distances: Any) -> Any:
    from keras import ops

    right, counts = targets[..., :EDGES], targets[..., EDGES:]
    error = ops.abs(distances - right)
    # Huber, 1964
    cost = ops.where(
        error < _SMALL_ERROR, error * error / (2 * _SMALL_ERROR), error - _SMALL_ERROR / 2
    )
    return ops.sum(cost * counts) / (EDGES * ops.sum(counts) + _FEW_PLACES)


def _picture_loss(targets: Any, logits: Any) -> Any:
    from keras import ops

    right, counts = ops.split(targets, 2, axis=-1)
    return ops.sum(counts * _cross_entropy(right, logits)) / (ops.sum(right * counts) + _FEW_LABELS)


def _found(targets: Any, logits: Any) -> Any:
    """Return the recall of the labels present, at a probability of 0.5."""
    from keras import ops

    right, counts = ops.split(targets, 2, axis=-1)
    present = right * counts
    found = ops.cast(logits > 0, present.dtype)
    return ops.sum(present * found) / (ops.sum(present) + 1e-6)


def _cross_entropy(right: Any, logits: Any) -> Any:
    from keras import ops

    # this form cannot overflow
    return ops.relu(logits) - logits * right + ops.log1p(ops.exp(-ops.abs(logits)))
