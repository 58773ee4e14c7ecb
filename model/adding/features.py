"""The input features of a dense network's last layers, at each place of a picture."""

from typing import Any

import numpy as np
from numpy.typing import NDArray

from model.inference.classifier import BATCH_SIZE
from model.inference.compiling import compile_network
from model.inference.cpu_forward import CpuForwardPass
from model.networks import dense
from model.networks.named import weights_of


class DenseFeatures:
    """A dense network up to its last convolutions, computed on a CPU.

    Args:
        network: A network that `model.networks.dense` built.
        int8: Whether its classifier computes with 8-bit integers.
    """

    def __init__(self, network: Any, *, int8: bool) -> None:
        compiled = compile_network(dense.features_of(network), int8=int8)
        self._forward = CpuForwardPass(compiled, BATCH_SIZE)
        weights = weights_of(network)
        self._kernel = weights["logits/kernel"][0, 0]
        self._bias = weights["logits/bias"]

    @property
    def batch_size(self) -> int:
        """The most pictures per batch."""
        return self._forward.batch_size

    def of(self, pictures: NDArray[np.uint8]) -> NDArray[np.float32]:
        """Return (n, rows, columns, features) of pictures (n, height, width, 3)."""
        return self._forward.logits(pictures)

    def logits(self, features: NDArray[np.float32]) -> NDArray[np.float32]:
        """Return the labels' logits (..., labels) of features (..., features)."""
        return np.asarray(features @ self._kernel + self._bias, np.float32)
