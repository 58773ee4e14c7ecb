"""Training of dense networks, which predict labels and boxes per place (grid cell)."""

from typing import Any

import numpy as np
from numpy.typing import NDArray

from model.dataset.stills import Stills
from model.inference.confidence import sigmoid
from model.inference.places import most_likely_places
from model.labels import known_labels
from model.pictures.preprocess import WholeFrame, whole_frame_named
from model.recipe import Recipe
from model.scenes.place_targets import Targets
from model.scenes.whereabouts import Whereabouts, seen_by
from model.training.lesson import LEAST_LOSS, Lesson
from model.training.optimizers import build_optimizer
from model.training.place_loss import by_output, compile_learning, learning_network

_BATCH = 32  # pictures per validation batch


class PlaceLesson(Lesson):
    """Trains on scenes and validates on stills.

    Args:
        network: A dense network.
        recipe: Its hyperparameters.
        validation: Stills as they are stored.
        steps_per_epoch: Steps over which the optimiser averages weights.
    """

    def __init__(
        self, network: Any, recipe: Recipe, validation: Stills, steps_per_epoch: int
    ) -> None:
        self._labels = len(known_labels(validation.labels))
        super().__init__(network, learning_network(network, self._labels))
        self._frame: WholeFrame = whole_frame_named(recipe.preprocessing)
        self._validation = validation
        optimizer = build_optimizer(recipe, steps_per_epoch)
        compile_learning(self.learner, optimizer)
        # the optimiser needs its variables before a checkpoint is restored
        optimizer.build(self.learner.trainable_variables)

    def learn(self, pictures: NDArray[np.uint8], targets: Targets) -> tuple[float, float]:
        """Take a training step; its accuracy is the recall of the labels present."""
        said = self.learner.train_on_batch(pictures, by_output(targets), return_dict=True)
        self.learner.reset_metrics()
        return float(said["loss"]), float(said["picture_found"])

    def validate(self) -> tuple[float, float]:
        """Return the mean cross-entropy and the accuracy on the stills that show a known character.

        A still counts as correct if it has the most likely label. The cross-entropy is the sum over
        all labels.
        """
        rows = [
            still
            for still in range(len(self._validation))
            if self._validation.label_numbers[still] < self._labels
        ]
        right, loss = 0, 0.0
        for start in range(0, len(rows), _BATCH):
            stills = rows[start : start + _BATCH]
            pictures = np.stack(
                [self._frame.preprocess(self._validation.picture(still)) for still in stills]
            )
            likely = sigmoid(most_likely_places(self.answers(pictures)).logits)
            truth = np.zeros_like(likely)
            for row, still in enumerate(stills):
                shown = [n for n in self._validation.label_sets[still] if n < self._labels]
                truth[row, shown] = 1
            right += int(truth[np.arange(len(stills)), likely.argmax(axis=1)].sum())
            of_truth = np.where(truth == 1, likely, 1 - likely)
            loss -= float(np.log(np.maximum(of_truth, LEAST_LOSS)).sum())
        return loss / max(len(rows), 1), right / max(len(rows), 1)

    def answers(self, pictures: NDArray[np.uint8]) -> NDArray[np.float32]:
        """Return the network's current outputs for pictures (n, height, width, 3)."""
        return np.asarray(self.network.predict_on_batch(pictures), np.float32)

    def correct(self, stills: Stills, drawn: Whereabouts) -> Whereabouts:
        """Return the annotated boxes, corrected by the network's current predictions."""
        return seen_by(self.answers, stills, drawn, self._frame)
