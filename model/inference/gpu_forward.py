"""A network's forward pass in TensorFlow, compiled once for each batch shape."""

from collections.abc import Collection
from typing import Any

import numpy as np
from numpy.typing import NDArray

from model.inference.forward import ForwardPass
from model.inference.tensorflow_runtime import load_tensorflow


class GpuForwardPass(ForwardPass):
    """A Keras network compiled for batches of exactly `batch_size` pictures.

    Only the given shapes occur: an incomplete batch is padded with black pictures. So the network
    is never recompiled, and a picture's logits do not depend on the number of other pictures: other
    shapes would select other kernels, which round sums differently.

    Args:
        network: Maps (batch, height, width, 3) uint8 to one output per picture.
        shapes: Heights and widths in pixels that pictures may have.
        batch_size: Pictures per batch.
        device: TensorFlow's name of the device.

    Raises:
        tensorflow.errors.ResourceExhaustedError: The batch does not fit into the device's memory.
    """

    def __init__(
        self, network: Any, shapes: Collection[tuple[int, int]], batch_size: int, device: str
    ) -> None:
        super().__init__(tuple(network.output_shape[1:]), batch_size)
        tensorflow = load_tensorflow()

        def forward(pictures: Any) -> Any:
            with tensorflow.device(device):
                return network(pictures, training=False)

        self._function = tensorflow.function(forward)
        # concrete functions are called directly, because only the tf.function itself may trace
        # again
        self._compiled = {
            shape: self._function.get_concrete_function(
                tensorflow.TensorSpec((batch_size, *shape, 3), tensorflow.uint8)
            )
            for shape in shapes
        }
        self._to_tensor = tensorflow.convert_to_tensor
        # select kernels and allocate memory now, not in the middle of an episode
        for shape in shapes:
            self._logits_of_batch(np.zeros((1, *shape, 3), np.uint8))

    @property
    def compiled_signatures(self) -> int:
        """Number of times that the network was compiled: once for each shape."""
        return int(self._function.experimental_get_tracing_count())

    def _logits_of_batch(self, pictures: NDArray[np.uint8]) -> NDArray[np.float32]:
        count, *shape = pictures.shape
        if count < self.batch_size:
            filled = np.zeros((self.batch_size, *shape), np.uint8)
            filled[:count] = pictures
            pictures = filled
        return np.asarray(self._compiled[shape[0], shape[1]](self._to_tensor(pictures)))[:count]
