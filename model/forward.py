"""One network's forward pass, compiled once for one batch shape."""

from typing import Any

import numpy as np
from numpy.typing import NDArray

from model.tensorflow_runtime import load_tensorflow


class ForwardPass:
    """A network compiled for batches of exactly `batch_size` pictures.

    The shape never changes: a short batch is filled up with black pictures. So nothing is ever
    compiled again, and a picture's logits do not depend on how many others came with it: other
    shapes pick other kernels, whose sums round differently.
    """

    def __init__(self, network: Any, side: int, batch_size: int, device: str = "/CPU:0") -> None:
        tensorflow = load_tensorflow()
        self.batch_size = batch_size
        self._outputs = int(network.output_shape[-1])
        self._shape = (side, side, 3)
        signature = tensorflow.TensorSpec((batch_size, *self._shape), tensorflow.uint8)

        def forward(pictures: Any) -> Any:
            with tensorflow.device(device):
                return network(pictures, training=False)

        self._function = tensorflow.function(forward, input_signature=[signature])
        # calling the traced function itself, not the one that traces, cannot trace again
        self._compiled = self._function.get_concrete_function()
        self._to_tensor = tensorflow.convert_to_tensor

    @property
    def compiled_signatures(self) -> int:
        """How often the network was compiled: once, for ever."""
        return int(self._function.experimental_get_tracing_count())

    def logits(self, pictures: NDArray[np.uint8]) -> NDArray[np.float32]:
        """Return the logits (n, labels) of any number of pictures (n, side, side, 3)."""
        logits = np.empty((len(pictures), self._outputs), np.float32)
        for start in range(0, len(pictures), self.batch_size):
            batch = pictures[start : start + self.batch_size]
            logits[start : start + len(batch)] = self._logits_of_batch(batch)
        return logits

    def warm_up(self) -> None:
        """Let kernels be chosen and memory be taken now, not in the middle of an episode."""
        self._logits_of_batch(np.zeros((1, *self._shape), np.uint8))

    def _logits_of_batch(self, pictures: NDArray[np.uint8]) -> NDArray[np.float32]:
        count = len(pictures)
        if count < self.batch_size:
            filled = np.zeros((self.batch_size, *self._shape), np.uint8)
            filled[:count] = pictures
            pictures = filled
        return np.asarray(self._compiled(self._to_tensor(pictures)))[:count]
