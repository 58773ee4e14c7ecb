"""The interface of a network's forward pass: pictures in, logits out, in batches."""

from abc import ABC, abstractmethod

import numpy as np
from numpy.typing import NDArray


class ForwardPass(ABC):
    """A network ready for inference on one device.

    Args:
        answer_shape: Shape of the output for one picture: (labels,), or that of
            `model.networks.dense`.
        batch_size: The most pictures per batch. A picture's logits do not depend on the other
            pictures of its batch.
    """

    def __init__(self, answer_shape: tuple[int, ...], batch_size: int) -> None:
        self.batch_size = batch_size
        self._answer_shape = answer_shape

    def logits(self, pictures: NDArray[np.uint8]) -> NDArray[np.float32]:
        """Return the outputs (n, *answer_shape) for n pictures (n, height, width, 3)."""
        logits = np.empty((len(pictures), *self._answer_shape), np.float32)
        for start in range(0, len(pictures), self.batch_size):
            batch = pictures[start : start + self.batch_size]
            logits[start : start + len(batch)] = self._logits_of_batch(batch)
        return logits

    @abstractmethod
    def _logits_of_batch(self, pictures: NDArray[np.uint8]) -> NDArray[np.float32]:
        """Return the outputs for one to `batch_size` pictures."""
