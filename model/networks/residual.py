"""The residual network: two CPU cores train it in an hour.

It is a ResNet (He et al., Deep Residual Learning for Image Recognition, 2016) with the averaging
shortcuts of ResNet-D (He et al., Bag of Tricks for Image Classification, 2019).
"""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Any, Final

import numpy as np

from model.errors import ModelError
from model.version.weights import check_number

PARAMETERS: Final[Mapping[str, Any]] = {
    "widths": [24, 48, 96, 192, 256],
    "blocks": [1, 1, 2, 2, 1],
    "dropout": 0.2,
}
"""2.6 million weights. With 96 pixels, the feature maps have 48, 24, 12, 6 and 3."""

LARGE_PARAMETERS: Final[Mapping[str, Any]] = {**PARAMETERS, "widths": [40, 80, 160, 320, 448]}
"""7.5 million weights, and 2.8 times the arithmetic."""

_MAX_WIDTH = 1024  # as wide as the widest networks for small pictures
_MAX_STAGES = 5  # each halves the picture
_MAX_BLOCKS = 8  # per stage

_NORM_MOMENTUM = 0.97  # averages the last 100 steps or so; an epoch has a few hundred


def build(parameters: Mapping[str, Any], outputs: int, _shape: tuple[int, int], seed: int) -> Any:
    """Return a new network; see `model.networks.named.build_network`.

    Raises:
        ModelError: A parameter is missing, unknown or out of bounds.
    """
    shape, dropout = _checked(parameters)
    import keras

    makes = layers(keras, seed)
    # any size, because training begins with smaller pictures
    pictures = keras.Input((None, None, 3), dtype="uint8", name="pictures")
    *_, x = makes.stages(pictures, shape)
    x = keras.layers.GlobalAveragePooling2D(name="pool")(x)
    x = keras.layers.Dropout(dropout, seed=seed, name="dropout")(x)
    initial = keras.initializers.GlorotUniform(seed=makes.seed())
    logits = keras.layers.Dense(outputs, kernel_initializer=initial, name="logits")(x)
    return keras.Model(pictures, logits, name="residual")


@dataclass(frozen=True)
class Shape:
    """The width and the number of blocks of each stage."""

    widths: list[int]
    """Channels of each stage."""
    blocks: list[int]
    """Residual blocks of each stage."""

    @property
    def weights(self) -> int:
        """Number of weights of the 3x3 convolutions, nearly all of the network's."""
        inputs, count = self.widths[0], 9 * 3 * self.widths[0]
        for width, blocks in zip(self.widths, self.blocks, strict=True):
            count += 9 * width * (inputs + (2 * blocks - 1) * width)
            inputs = width
        return count


def layers(keras: Any, seed: int) -> "Layers":
    """Return a factory of layers that draws their initial weights from this seed."""
    return Layers(keras, iter(np.random.SeedSequence(seed).generate_state(1000)))


@dataclass(frozen=True)
class Layers:
    """Factory of the layers of a residual network."""

    keras: Any
    seeds: Iterator[Any]

    def seed(self) -> int:
        """Return the seed of the next layer's initial weights."""
        return int(next(self.seeds))

    def stages(self, pictures: Any, shape: Shape) -> list[Any]:
        """Return the feature map of each stage for uint8 pictures; stage n has stride 2^n."""
        x = self.keras.layers.Rescaling(1 / 127.5, offset=-1.0, name="scale")(pictures)
        x = self.relu(self.convolution(x, shape.widths[0], 3, 2, "stem"), "stem_relu")
        made = []
        for stage, (width, count) in enumerate(zip(shape.widths, shape.blocks, strict=True), 1):
            for number in range(1, count + 1):
                stride = 2 if stage > 1 and number == 1 else 1
                x = self.block(x, width, stride, f"stage_{stage}_block_{number}")
            made.append(x)
        return made

    def relu(self, x: Any, name: str) -> Any:
        """Apply ReLU."""
        return self.keras.layers.ReLU(name=name)(x)

    def convolution(
        self, x: Any, width: int, kernel: int, stride: int, name: str, gamma: str = "ones"
    ) -> Any:
        """Convolve and normalise: (batch, h, w, any) to (batch, h / stride, w / stride, width)."""
        convolved = self.keras.layers.Conv2D(
            width,
            kernel,
            stride,
            "same",
            use_bias=False,
            kernel_initializer=self.keras.initializers.HeNormal(seed=self.seed()),
            name=name,
        )(x)
        return self.keras.layers.BatchNormalization(
            momentum=_NORM_MOMENTUM, gamma_initializer=gamma, name=f"{name}_norm"
        )(convolved)

    def block(self, x: Any, width: int, stride: int, name: str) -> Any:
        """Apply a residual block; its shortcut averages where the block halves the feature map."""
        shortcut = x
        if stride == 2:
            pool = self.keras.layers.AveragePooling2D(2, padding="same", name=f"{name}_pool")
            shortcut = pool(shortcut)
        if shortcut.shape[-1] != width:
            shortcut = self.convolution(shortcut, width, 1, 1, f"{name}_shortcut")
        y = self.relu(self.convolution(x, width, 3, stride, f"{name}_conv_1"), f"{name}_relu_1")
        # zero gamma makes the block an identity at first: Goyal et al., Large Minibatch SGD, 2017
        y = self.convolution(y, width, 3, 1, f"{name}_conv_2", gamma="zeros")
        return self.relu(self.keras.layers.Add(name=f"{name}_add")([y, shortcut]), f"{name}_relu_2")


def _checked(parameters: Mapping[str, Any]) -> tuple[Shape, float]:
    if set(parameters) != set(PARAMETERS):
        raise ModelError(
            f"network residual has the parameters {sorted(map(str, parameters))}: "
            f"give exactly {sorted(PARAMETERS)}"
        )
    dropout = parameters["dropout"]
    if type(dropout) not in (int, float) or not 0 <= dropout < 1:
        raise ModelError(f"network residual: dropout is {dropout!r}; give 0 to below 1")
    shape = checked_shape("residual", parameters["widths"], parameters["blocks"])
    check_number("residual", shape.weights)
    return shape, float(dropout)


def checked_shape(network: str, widths: object, blocks: object) -> Shape:
    """Return the checked widths and blocks of a network.

    Args:
        network: Name of the network, for errors.
        widths: Channels of each stage.
        blocks: Blocks of each stage.

    Raises:
        ModelError: They are not lists of the same length with whole numbers within bounds.
    """
    for name, numbers, highest in (
        ("widths", widths, _MAX_WIDTH),
        ("blocks", blocks, _MAX_BLOCKS),
    ):
        if not _are_counts(numbers, highest):
            raise ModelError(
                f"network {network}: {name} is {numbers!r}; "
                f"give a list of 1 to {_MAX_STAGES} whole numbers from 1 to {highest}"
            )
    assert isinstance(widths, list | tuple)
    assert isinstance(blocks, list | tuple)
    if len(widths) != len(blocks):
        raise ModelError(
            f"network {network}: {len(widths)} widths and {len(blocks)} blocks; "
            "give the same number of both"
        )
    return Shape(list(widths), list(blocks))


def _are_counts(numbers: object, highest: int) -> bool:
    return (
        isinstance(numbers, list | tuple)
        and 1 <= len(numbers) <= _MAX_STAGES
        and all(type(number) is int and 1 <= number <= highest for number in numbers)
    )
