"""The interface between the training loop and a kind of network."""

from abc import ABC, abstractmethod
from typing import Any, Final

import numpy as np
from numpy.typing import NDArray

LEAST_LOSS: Final = 1e-12
"""Smallest probability in a logarithm, which is undefined at 0."""


class Lesson(ABC):
    """A network together with its training step and its validation.

    Args:
        network: The network used for inference.
        learner: A model that shares its weights, compiled with an optimiser and losses.
    """

    def __init__(self, network: Any, learner: Any) -> None:
        self.network, self.learner = network, learner

    @property
    def optimizer(self) -> Any:
        """The Keras optimiser."""
        return self.learner.optimizer

    @abstractmethod
    def learn(self, pictures: NDArray[np.uint8], targets: Any) -> tuple[float, float]:
        """Take a training step.

        Args:
            pictures: (n, height, width, 3)
            targets: In the form that the batches of this lesson have.

        Returns:
            The loss before the step, and the accuracy.
        """

    @abstractmethod
    def validate(self) -> tuple[float, float]:
        """Return the mean loss and the accuracy on the validation stills."""
