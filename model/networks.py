"""Networks by name, built by our own code from the numbers in a manifest.

A manifest may come from anywhere, so every parameter is checked and bounded before anything is
built. Importing this module imports nothing heavy.
"""

from collections.abc import Callable, Mapping, Sequence
from typing import Any, Final

import numpy as np
from numpy.typing import NDArray

from model.errors import ModelError
from model.preprocess import SIDE

BASELINE_PARAMETERS: Final[Mapping[str, Any]] = {"filters": [32, 64, 128, 128], "dense": 64}
"""The task's network; its filters are those with which its published accuracy was reproduced."""

_MAX_UNITS = 1024  # of one layer; four convolutions so wide take 120 MB
_MAX_CONVOLUTIONS = 4  # each takes 2 pixels off and halves the rest: 64, 31, 14, 6, 2


def build_network(
    name: str, parameters: Mapping[str, Any], labels: Sequence[str], *, seed: int = 0
) -> Any:
    """Return a new Keras network that maps uint8 pictures to one logit per label.

    Args:
        name: one of NETWORKS.
        parameters: what that network takes, as the manifest has it.
        labels: the labels in the order of the logits.
        seed: of the initial weights.

    Returns:
        A keras.Model from (batch, 64, 64, 3) uint8 to (batch, labels) float32 logits.

    Raises:
        ModelError: the name is unknown or a parameter is missing, unknown or out of bounds.
    """
    if name not in NETWORKS:
        raise ModelError(f"network {name!r} is unknown: use one of {', '.join(NETWORKS)}")
    return NETWORKS[name](parameters, len(labels), seed)


def weights_of(network: Any) -> dict[str, NDArray[np.float32]]:
    """Return a network's weights by their names, such as `conv_1/kernel`."""
    return {weight.path: np.asarray(weight.value, np.float32) for weight in network.weights}


def shapes_of(network: Any) -> dict[str, tuple[int, ...]]:
    """Return the shape of each of a network's weights by its name."""
    return {weight.path: tuple(weight.shape) for weight in network.weights}


def assign_weights(network: Any, weights: Mapping[str, NDArray[np.float32]]) -> None:
    """Give a network the weights that `weights_of` returned; names and shapes must agree."""
    for weight in network.weights:
        weight.assign(weights[weight.path])


def _build_baseline(parameters: Mapping[str, Any], outputs: int, seed: int) -> Any:
    """The task's network: 3x3 convolutions with ReLU and 2x2 max pooling, dense ReLU, logits.

    LeCun uniform initial weights are the task's own advice ("crucial"): LeCun et al., Efficient
    BackProp, 1998.
    """
    filters, dense = _baseline_parameters(parameters)
    import keras

    seeds = iter(np.random.SeedSequence(seed).generate_state(len(filters) + 2))

    def initial() -> Any:
        return keras.initializers.LecunUniform(seed=int(next(seeds)))

    pictures = keras.Input((SIDE, SIDE, 3), dtype="uint8", name="pictures")
    # 0..255 to -1..1: LeCun's rule expects inputs around zero
    x = keras.layers.Rescaling(1 / 127.5, offset=-1.0, name="scale")(pictures)
    for number, width in enumerate(filters, start=1):
        convolution = keras.layers.Conv2D(
            width,
            3,
            activation="relu",
            kernel_initializer=initial(),
            name=f"conv_{number}",
        )
        x = keras.layers.MaxPooling2D(2, name=f"pool_{number}")(convolution(x))
    x = keras.layers.Flatten(name="flatten")(x)
    x = keras.layers.Dense(dense, "relu", kernel_initializer=initial(), name="dense")(x)
    logits = keras.layers.Dense(outputs, kernel_initializer=initial(), name="logits")(x)
    return keras.Model(pictures, logits, name="baseline")


def _baseline_parameters(parameters: Mapping[str, Any]) -> tuple[list[int], int]:
    if set(parameters) != set(BASELINE_PARAMETERS):
        raise ModelError(
            f"network baseline has the parameters {sorted(map(str, parameters))}: "
            f"give exactly {sorted(BASELINE_PARAMETERS)}"
        )
    filters, dense = parameters["filters"], parameters["dense"]
    if not isinstance(filters, list | tuple) or not 1 <= len(filters) <= _MAX_CONVOLUTIONS:
        raise ModelError(
            f"network baseline: filters is {filters!r}; "
            f"give a list of 1 to {_MAX_CONVOLUTIONS} whole numbers"
        )
    for units in (*filters, dense):
        if type(units) is not int or not 1 <= units <= _MAX_UNITS:
            raise ModelError(
                f"network baseline: {units!r} units in a layer; give 1 to {_MAX_UNITS}"
            )
    return list(filters), dense


NETWORKS: Final[Mapping[str, Callable[[Mapping[str, Any], int, int], Any]]] = {
    "baseline": _build_baseline
}
"""How each network is built, by its name: parameters, number of outputs, seed."""
