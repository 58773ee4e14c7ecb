"""What a training does with a batch, whatever its network answers."""

from abc import ABC, abstractmethod
from typing import Any, Final

import numpy as np
from numpy.typing import NDArray

LEAST_LOSS: Final = 1e-12
"""A probability below counts as this: its logarithm must exist."""


class Lesson(ABC):
    """A network and how it learns and is validated.

    Args:
        network: that classifies.
        learner: with the same weights, compiled with an optimiser and losses.
    """

    def __init__(self, network: Any, learner: Any) -> None:
        self.network, self.learner = network, learner

    @property
    def optimizer(self) -> Any:
        """The Keras optimiser."""
        return self.learner.optimizer

    @abstractmethod
    def learn(self, pictures: NDArray[np.uint8], targets: Any) -> tuple[float, float]:
        """Take a step.

        Args:
            pictures: (n, height, width, 3)
            targets: as the lesson's batches have them.

        Returns:
            The loss before it, and the accuracy.
        """

    @abstractmethod
    def validate(self) -> tuple[float, float]:
        """Return the mean loss and the accuracy on the validation stills."""
