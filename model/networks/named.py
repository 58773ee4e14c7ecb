"""Build networks by name, from the parameters in a manifest.

A manifest may be untrusted, so every parameter is checked and bounded before anything is built.
Importing this module imports nothing heavy.
"""

from collections.abc import Callable, Mapping, Sequence
from typing import Any, Final

import numpy as np
from numpy.typing import NDArray

from model.errors import ModelError
from model.networks import baseline, dense, residual
from model.pictures.preprocess import shape_seen
from model.version.artifact import ModelVersion
from model.version.weights import read_weights, rounded

NETWORKS: Final[Mapping[str, Callable[[Mapping[str, Any], int, tuple[int, int], int], Any]]] = {
    "baseline": baseline.build,
    "dense": dense.build,
    "residual": residual.build,
}
"""Builder of each network by name, called with parameters, outputs, shape and seed."""


def build_network(
    name: str,
    parameters: Mapping[str, Any],
    labels: Sequence[str],
    shape: tuple[int, int],
    *,
    seed: int = 0,
) -> Any:
    """Return a new Keras network that maps uint8 pictures to logits per label.

    Args:
        name: One of NETWORKS.
        parameters: The parameters of that network, as in the manifest.
        labels: The labels in the order of the logits.
        shape: Height and width of the pictures in pixels.
        seed: Seed of the initial weights.

    Returns:
        A keras.Model from (batch, height, width, 3) uint8 to float32 logits: (batch, labels), or,
        for network `dense`, logits and box edges for each place (see `model.networks.dense`).
        Network `residual` accepts other picture sizes too.

    Raises:
        ModelError: The name is unknown or a parameter is missing, unknown or out of bounds.
    """
    if name not in NETWORKS:
        raise ModelError(f"network {name!r} is unknown: use one of {', '.join(NETWORKS)}")
    return NETWORKS[name](parameters, len(labels), shape, seed)


def weights_of(network: Any) -> dict[str, NDArray[np.float32]]:
    """Return a network's weights by their names, such as `conv_1/kernel`."""
    import keras

    return {
        weight.path: np.asarray(keras.ops.convert_to_numpy(weight.value), np.float32)
        for weight in network.weights
    }


def shapes_of(network: Any) -> dict[str, tuple[int, ...]]:
    """Return the shape of each of a network's weights by its name."""
    return {weight.path: tuple(weight.shape) for weight in network.weights}


def assign_weights(network: Any, weights: Mapping[str, NDArray[np.float32]]) -> None:
    """Assign the weights that `weights_of` returned to a network; names and shapes must agree."""
    for weight in network.weights:
        weight.assign(weights[weight.path])


def take_over(network: Any, labels: Sequence[str], version: ModelVersion) -> None:
    """Initialise a network with the weights of a version that has other labels or another head.

    Args:
        network: The network; outputs for labels that the version does not know keep their weights,
            and so do layers that the version lacks, such as the head of a dense network.
        labels: The labels in the order of the network's logits.
        version: The version with the weights.

    Raises:
        ArtifactError: The version's weights are damaged or do not fit its own network.
        ModelError: The version's network is unknown or its parameters are not allowed.
    """
    known = version.manifest.labels
    shared = [label for label in labels if label in known]
    mine = [list(labels).index(label) for label in shared]
    theirs = [known.index(label) for label in shared]
    taken = weights_of(network_of(version))
    mixed = weights_of(network)
    for name, values in mixed.items():
        other = taken.get(name)
        if other is None:
            continue
        if name.startswith("logits/"):
            if network.name == version.manifest.network:
                values[..., mine] = other[..., theirs]
        elif other.shape == values.shape:
            mixed[name] = other
    assign_weights(network, mixed)


def add_to_logits(network: Any, shift: float) -> None:
    """Add a number to every logit of a network by its biases, rounded like weights in a file."""
    weights = weights_of(network)
    biases = {"logits/bias": weights["logits/bias"] + np.float32(shift)}
    assign_weights(network, {**weights, **rounded(biases)})


def network_of(version: ModelVersion) -> Any:
    """Return a model version's network with its weights.

    Raises:
        ArtifactError: The weights are damaged or do not fit.
        ModelError: The manifest's network is unknown or its parameters are not allowed.
    """
    manifest = version.manifest
    shape = shape_seen(manifest.preprocessing)
    network = build_network(manifest.network, manifest.network_parameters, manifest.labels, shape)
    assign_weights(network, read_weights(version, shapes_of(network)))
    return network
