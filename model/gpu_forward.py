"""A network's forward pass as TensorFlow computes it, compiled once for one batch shape."""

from typing import Any

import numpy as np
from numpy.typing import NDArray

from model.forward import ForwardPass
from model.tensorflow_runtime import load_tensorflow


class GpuForwardPass(ForwardPass):
    """A Keras network compiled for batches of exactly `batch_size` pictures.

    The shape never changes: a short batch is filled up with black pictures. So nothing is ever
    compiled again, and a picture's logits do not depend on how many others came with it: other
    shapes pick other kernels, whose sums round differently.

    Args:
        network: from (batch, side, side, 3) uint8 to (batch, labels) logits.
        side: height and width of the pictures in pixels.
        batch_size: pictures per batch.
        device: TensorFlow's name of it.

    Raises:
        tensorflow.errors.ResourceExhaustedError: the batch does not fit into the device's memory.
    """

    def __init__(self, network: Any, side: int, batch_size: int, device: str) -> None:
        super().__init__(int(network.output_shape[-1]), batch_size)
        tensorflow = load_tensorflow()
        self._shape = (side, side, 3)
        signature = tensorflow.TensorSpec((batch_size, *self._shape), tensorflow.uint8)

        def forward(pictures: Any) -> Any:
            with tensorflow.device(device):
                return network(pictures, training=False)

        self._function = tensorflow.function(forward, input_signature=[signature])
        # calling the traced function itself, not the one that traces, cannot trace again
        self._compiled = self._function.get_concrete_function()
        self._to_tensor = tensorflow.convert_to_tensor
        # let kernels be chosen and memory be taken now, not in the middle of an episode
        self._logits_of_batch(np.zeros((1, *self._shape), np.uint8))

    @property
    def compiled_signatures(self) -> int:
        """How often the network was compiled: once, for ever."""
        return int(self._function.experimental_get_tracing_count())

    def _logits_of_batch(self, pictures: NDArray[np.uint8]) -> NDArray[np.float32]:
        count = len(pictures)
        if count < self.batch_size:
            filled = np.zeros((self.batch_size, *self._shape), np.uint8)
            filled[:count] = pictures
            pictures = filled
        return np.asarray(self._compiled(self._to_tensor(pictures)))[:count]
