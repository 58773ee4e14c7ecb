"""The dense network: a fully convolutional detector with one stride and no anchors.

Its backbone is the residual network (`model.networks.residual`) up to its last two stages. The
feature map of the last stage is upsampled by 2 and concatenated with that of the stage before. Two
convolutions then predict, at every place (grid cell), a logit for each label, like Tian et al.,
FCOS: Fully Convolutional One-Stage Object Detection, 2019, and the distances to the edges of the
bounding box.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, Final

from model.errors import ModelError
from model.networks import residual
from model.version.weights import check_number

STRIDE: Final = 16
"""Pixels between neighbouring places, across and down."""

PARAMETERS: Final[Mapping[str, Any]] = {
    "widths": [24, 48, 96, 192, 256],
    "blocks": [1, 1, 2, 2, 1],
    "joined": 128,
    "head": 160,
}
"""3.0 million weights with 33 labels. A picture of 256x192 pixels has 16x12 places."""

TOP_PLACES: Final = 3
"""Number of most likely places whose mean is the picture's logit in training: a figure covers
several."""

EDGES: Final = 4
"""Left, top, right, bottom."""

_MOST_LIKELY_NOBODY: Final = -4.0
"""Initial bias of the logits: nearly all places are negative for nearly all labels (Lin et al.,
Focal Loss for Dense Object Detection, 2017, 4.1)."""

_HEAD: Final = "head_relu"
"""The layer whose features are the input of the last convolutions."""

_MAX_WIDTH: Final = 1024


def build(parameters: Mapping[str, Any], outputs: int, shape: tuple[int, int], seed: int) -> Any:
    """Return a new network.

    Args:
        parameters: As in PARAMETERS.
        outputs: Number of labels.
        shape: Height and width of the pictures in pixels, multiples of twice STRIDE.
        seed: Seed of the initial weights.

    Returns:
        A keras.Model from uint8 pictures (batch, height, width, 3) to one float32 tensor (batch,
        height / STRIDE, width / STRIDE, outputs + EDGES): the labels' logits, then the logarithms
        of the distances to the edges in strides.

    Raises:
        ModelError: A parameter is missing, unknown or out of bounds.
    """
    layout = _checked(parameters)
    import keras

    makes = residual.layers(keras, seed)
    pictures = keras.Input((*shape, 3), dtype="uint8", name="pictures")
    *_, near, far = makes.stages(pictures, layout.trunk)
    far = makes.convolution(far, layout.joined, 1, 1, "far")
    far = keras.layers.UpSampling2D(2, interpolation="bilinear", name="doubled")(far)
    joined = keras.layers.Concatenate(name="joined")(
        [
            makes.relu(makes.convolution(near, layout.joined, 1, 1, "near"), "near_relu"),
            makes.relu(far, "far_relu"),
        ]
    )
    head = makes.relu(makes.convolution(joined, layout.head, 3, 1, "head"), _HEAD)
    logits = keras.layers.Conv2D(
        outputs,
        1,
        kernel_initializer=keras.initializers.RandomNormal(stddev=0.01, seed=makes.seed()),
        bias_initializer=keras.initializers.Constant(_MOST_LIKELY_NOBODY),
        dtype="float32",
        name="logits",
    )(head)
    edges = keras.layers.Conv2D(
        EDGES,
        1,
        kernel_initializer=keras.initializers.RandomNormal(stddev=0.01, seed=makes.seed()),
        dtype="float32",
        name="edges",
    )(head)
    return keras.Model(
        pictures, keras.layers.Concatenate(name="answers")([logits, edges]), name="dense"
    )


def features_of(network: Any) -> Any:
    """Return the network up to the features before its last convolutions, sharing its weights.

    Returns:
        A keras.Model from the pictures that `build` describes to (batch, height / STRIDE, width /
        STRIDE, head) features, none below 0.
    """
    import keras

    return keras.Model(network.input, network.get_layer(_HEAD).output, name="features")


@dataclass(frozen=True)
class _Shape:
    trunk: residual.Shape
    joined: int
    head: int


def _checked(parameters: Mapping[str, Any]) -> _Shape:
    if set(parameters) != set(PARAMETERS):
        raise ModelError(
            f"network dense has the parameters {sorted(map(str, parameters))}: "
            f"give exactly {sorted(PARAMETERS)}"
        )
    for name in ("joined", "head"):
        width = parameters[name]
        if type(width) is not int or not 1 <= width <= _MAX_WIDTH:
            raise ModelError(f"network dense: {name} is {width!r}; give 1 to {_MAX_WIDTH}")
    trunk = residual.checked_shape("dense", parameters["widths"], parameters["blocks"])
    if len(trunk.widths) != 5:
        raise ModelError("network dense: widths and blocks are not of 5 stages")
    shape = _Shape(trunk, parameters["joined"], parameters["head"])
    check_number("dense", trunk.weights + 9 * 2 * shape.joined * shape.head)
    return shape
