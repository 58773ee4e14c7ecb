"""Training of networks with one output per label for the whole picture: `baseline`, `residual`."""

from collections.abc import Callable, Mapping, Sequence
from typing import Any, Final

import numpy as np
from numpy.typing import NDArray

from model.dataset.stills import Stills
from model.inference.classifier import BATCH_SIZE
from model.inference.confidence import sigmoid, softmax
from model.recipe import Recipe
from model.training.lesson import LEAST_LOSS, Lesson
from model.training.optimizers import build_optimizer

_LIKELIHOODS: Final[Mapping[str, Callable[[Any], NDArray[np.float64]]]] = {
    "categorical": softmax,
    "binary": sigmoid,
}
"""Activation that turns logits into probabilities, by loss."""


class LabelLesson(Lesson):
    """Trains on pictures that show one label, or two labels in halves.

    Args:
        network: The network to train.
        recipe: Its hyperparameters.
        teachers: Networks for knowledge distillation.
        validation: Stills, preprocessed for the network.
        steps_per_epoch: Steps over which the optimiser averages weights.
    """

    def __init__(
        self,
        network: Any,
        recipe: Recipe,
        teachers: Sequence[Any],
        validation: Stills,
        steps_per_epoch: int,
    ) -> None:
        super().__init__(network, network)
        self._recipe, self._teachers, self._validation = recipe, teachers, validation
        import keras

        losses = {
            "categorical": keras.losses.CategoricalCrossentropy,
            "binary": keras.losses.BinaryCrossentropy,
        }
        # the teachers' soft targets need no label smoothing
        smoothing = 0.0 if teachers else recipe.label_smoothing
        network.compile(
            optimizer=build_optimizer(recipe, steps_per_epoch),
            loss=losses[recipe.loss](from_logits=True, label_smoothing=smoothing),
            metrics=[keras.metrics.CategoricalAccuracy()],
            # XLA makes TensorFlow a third slower on a CPU; without this flag JAX compiles nothing
            # at all
            jit_compile=keras.backend.backend() == "jax",
        )
        # the optimiser needs its variables before a checkpoint is restored
        network.optimizer.build(network.trainable_variables)

    def learn(self, pictures: NDArray[np.uint8], targets: Any) -> tuple[float, float]:
        """Take a training step; see `Lesson.learn`."""
        loss, accuracy = self.learner.train_on_batch(pictures, self._taught(pictures, targets))
        self.learner.reset_metrics()
        return float(loss), float(accuracy)

    def _taught(
        self, pictures: NDArray[np.uint8], targets: NDArray[np.float32]
    ) -> NDArray[np.float32]:
        """Return targets (n, labels) mixed with the teachers' mean output by the recipe's share."""
        if not self._teachers:
            return targets
        answer = _LIKELIHOODS[self._recipe.loss]
        answers = [answer(teacher.predict_on_batch(pictures)) for teacher in self._teachers]
        smooth, taught = self._recipe.label_smoothing, self._recipe.taught
        # label smoothing as Keras does it: over all labels, or between yes and no
        evenly = 1 / targets.shape[1] if self._recipe.loss == "categorical" else 1 / 2
        own = (1 - smooth) * targets + smooth * evenly
        return np.asarray((1 - taught) * own + taught * np.mean(answers, axis=0), np.float32)

    def validate(self) -> tuple[float, float]:
        """Return the mean cross-entropy and the accuracy on the validation stills."""
        right, loss = 0, 0.0
        for pictures, truth in self._validation.batches(BATCH_SIZE):
            logits = self.network.predict_on_batch(pictures)
            right += int((logits.argmax(axis=1) == truth).sum())
            likely = softmax(logits)[np.arange(len(truth)), truth]
            loss -= float(np.log(np.maximum(likely, LEAST_LOSS)).sum())
        return loss / len(self._validation), right / len(self._validation)
