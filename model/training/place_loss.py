"""How a dense network learns: losses on its places, its edges, and the picture as a whole.

Of places, the focal cross-entropy (Lin et al., Focal Loss for Dense Object Detection, 2017), summed
over all and divided by how many somebody is at, as Zhou et al., Objects as Points, 2019, do. Of the
picture, the cross-entropy of the mean of the likeliest places: it teaches from stills that name who
is there, but not where (Pinheiro and Collobert, From Image-level to Pixel-level Labeling with
Convolutional Networks, 2015).
"""

from typing import Any, Final

from model.networks.dense import EDGES, TOP_PLACES
from model.scenes.place_targets import Targets

PLACES, EDGE, PICTURE = "places", "edges", "picture"
"""The outputs of a network that learns."""

_WEIGHTS: Final = {PLACES: 1.0, EDGE: 0.2, PICTURE: 0.5}

_FOCUS: Final = 2.0  # the exponent that Lin et al. found best
_PRESENT: Final = 4.0
"""Weight of a place where somebody is: one in some thousand answers is such a place."""

_FEW_PLACES: Final = 16.0
"""Places added to those that somebody is at: a batch with next to none would count as much as one
with hundreds."""

_FEW_LABELS: Final = 4.0  # the same for the picture as a whole
_SMALL_ERROR: Final = 0.3
"""Of an edge's logarithm: an error of a third, below which it counts by its square."""


def learning_network(network: Any, labels: int) -> Any:
    """Return a network with the same weights and three outputs to learn by.

    Args:
        network: as `model.networks.dense` builds it.
        labels: how many it answers for.
    """
    import keras

    ops = keras.ops

    class TopPlaces(keras.layers.Layer):  # type: ignore[misc]  # Keras has no types
        """(batch, rows, columns, labels) to (batch, labels): the mean of the likeliest places."""

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
    """Give a network that learns its losses."""
    import keras

    network.compile(
        optimizer=optimizer,
        loss={PLACES: _places_loss, EDGE: _edges_loss, PICTURE: _picture_loss},
        loss_weights=dict(_WEIGHTS),
        metrics={PICTURE: [keras.metrics.MeanMetricWrapper(_found, name="found")]},
        jit_compile=keras.backend.backend() == "jax",
    )


def by_output(targets: Targets) -> dict[str, Any]:
    """Return targets by the outputs that they are for."""
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
    # Huber's, 1964
    cost = ops.where(
        error < _SMALL_ERROR, error * error / (2 * _SMALL_ERROR), error - _SMALL_ERROR / 2
    )
    return ops.sum(cost * counts) / (EDGES * ops.sum(counts) + _FEW_PLACES)


def _picture_loss(targets: Any, logits: Any) -> Any:
    from keras import ops

    right, counts = ops.split(targets, 2, axis=-1)
    return ops.sum(counts * _cross_entropy(right, logits)) / (ops.sum(right * counts) + _FEW_LABELS)


def _found(targets: Any, logits: Any) -> Any:
    """Return the share of the labels present that are likelier there than not."""
    from keras import ops

    right, counts = ops.split(targets, 2, axis=-1)
    present = right * counts
    found = ops.cast(logits > 0, present.dtype)
    return ops.sum(present * found) / (ops.sum(present) + 1e-6)


def _cross_entropy(right: Any, logits: Any) -> Any:
    from keras import ops

    # without overflow, whatever the logit
    return ops.relu(logits) - logits * right + ops.log1p(ops.exp(-ops.abs(logits)))
