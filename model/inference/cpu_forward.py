"""A network's forward pass on a CPU, computed by LiteRT without TensorFlow."""

import importlib
import os
from typing import Any, Final

import numpy as np
from numpy.typing import NDArray

from model.errors import ModelError
from model.inference.forward import ForwardPass
from model.quiet import without_chatter

PIXELS_AT_ONCE: Final = 16 * 256 * 192
"""Most pixels in a batch: 16 whole frames take 160 MB; 64 take 310 MB and are no faster."""


class CpuForwardPass(ForwardPass):
    """A network compiled by `model.inference.compiling.compile_network`.

    Its kernels process one picture after the other, so that the batch size does not change the
    logits.

    Args:
        compiled: The compiled network.
        batch_size: The most pictures per batch; PIXELS_AT_ONCE limits it further.

    Raises:
        ModelError: `compiled` is not a compiled network.
    """

    def __init__(self, compiled: bytes, batch_size: int) -> None:
        with without_chatter():
            interpreters: Any = importlib.import_module("ai_edge_litert.interpreter")
            try:
                self._interpreter = interpreters.Interpreter(
                    model_content=compiled, num_threads=len(os.sched_getaffinity(0))
                )
                self._interpreter.allocate_tensors()
            except (ValueError, RuntimeError) as error:
                raise ModelError(f"not a compiled network: {error}") from error
        [pictures] = self._interpreter.get_input_details()
        [logits] = self._interpreter.get_output_details()
        height, width = (int(side) for side in pictures["shape"][1:3])
        at_once = max(1, PIXELS_AT_ONCE // max(1, height * width))
        super().__init__(tuple(map(int, logits["shape"][1:])), min(batch_size, at_once))
        self._input, self._output = pictures["index"], logits["index"]
        self._batch_shape = tuple(pictures["shape"])

    def _logits_of_batch(self, pictures: NDArray[np.uint8]) -> NDArray[np.float32]:
        if pictures.shape != self._batch_shape:
            self._batch_shape = pictures.shape
            self._interpreter.resize_tensor_input(self._input, pictures.shape)
            self._interpreter.allocate_tensors()
        self._interpreter.set_tensor(self._input, pictures)
        self._interpreter.invoke()
        return np.asarray(self._interpreter.get_tensor(self._output))
