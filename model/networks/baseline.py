"""The original task's network: four convolutions with pooling, a dense layer, logits."""

from collections.abc import Mapping
from typing import Any, Final

import numpy as np

from model.errors import ModelError
from model.version.weights import check_number

PARAMETERS: Final[Mapping[str, Any]] = {"filters": [32, 64, 128, 128], "dense": 64}
"""The filters with which the task's published accuracy was reproduced."""

_MAX_UNITS = 1024  # most units in a layer; four convolutions of this width take 120 MB
_MAX_CONVOLUTIONS = 4  # each takes 2 pixels off and halves the rest: 64, 31, 14, 6, 2


def build(parameters: Mapping[str, Any], outputs: int, shape: tuple[int, int], seed: int) -> Any:
    """Return a new network; see `model.networks.named.build_network`.

    LeCun uniform initialisation is the task's own advice ("crucial"): LeCun et al., Efficient
    BackProp, 1998.
    """
    filters, dense = _checked(parameters, shape)
    import keras

    seeds = iter(np.random.SeedSequence(seed).generate_state(len(filters) + 2))

    def initial() -> Any:
        return keras.initializers.LecunUniform(seed=int(next(seeds)))

    pictures = keras.Input((*shape, 3), dtype="uint8", name="pictures")
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


def _checked(parameters: Mapping[str, Any], shape: tuple[int, int]) -> tuple[list[int], int]:
    if set(parameters) != set(PARAMETERS):
        raise ModelError(
            f"network baseline has the parameters {sorted(map(str, parameters))}: "
            f"give exactly {sorted(PARAMETERS)}"
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
    height, width = shape
    for _ in filters:
        height, width = (height - 2) // 2, (width - 2) // 2
    check_number("baseline", height * width * filters[-1] * dense)
    return list(filters), dense
