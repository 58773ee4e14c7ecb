"""The training loop: stills and a recipe in, a trained network out; same seed, same weights.

All computation goes through Keras and so works on every backend.
"""

import math
import time
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Final

import numpy as np
from numpy.typing import NDArray

from model.dataset.stills import Stills
from model.errors import TrainingError
from model.inference.tensorflow_runtime import bfloat16_arithmetic, load_keras, out_of_memory_error
from model.labels import known_labels
from model.networks.named import assign_weights, build_network, take_over, weights_of
from model.pictures.preprocess import shape_seen
from model.recipe import Recipe
from model.scenes.whereabouts import Whereabouts
from model.training.batches import BatchMaker
from model.training.checkpoint import Checkpoint, State, give_values, values_of
from model.training.history import Epoch
from model.training.label_lesson import LabelLesson
from model.training.lesson import Lesson
from model.training.place_lesson import PlaceLesson
from model.training.schedule import learning_rate, shown_per_epoch, side_at
from model.version.artifact import ModelVersion
from model.version.manifest import PLACES

_WHEREABOUTS: Final = "whereabouts "  # prefix of the names of boxes in a checkpoint


@dataclass(frozen=True)
class Trained:
    """The result of a training."""

    network: Any
    """A keras.Model, as `model.networks.named.build_network` describes it."""
    history: tuple[Epoch, ...]
    """The epochs of the training; empty if the start's weights were kept unchanged."""


def train(
    stills: Stills,
    validation: Stills,
    recipe: Recipe,
    on_epoch: Callable[[tuple[Epoch, ...]], None] | None = None,
    checkpoint: Checkpoint | None = None,
    *,
    teachers: Sequence[Any] = (),
    start: ModelVersion | None = None,
    on_step: Callable[[int, int], None] = lambda _done, _steps: None,
    resume: bool = False,
    processes: int = 0,
) -> Trained:
    """Train a network.

    Args:
        stills: Training stills.
        validation: Stills to validate on after each epoch, and for early stopping if the recipe
            asks for it.
        recipe: The hyperparameters.
        on_epoch: Called after each epoch with all epochs so far.
        checkpoint: Where the state is saved after each epoch, if anywhere.
        teachers: Networks with the same labels, trained with the same loss. Their outputs for the
            augmented picture make up the recipe's share `taught` of its target (Beyer et al.,
            Knowledge distillation: A good teacher is patient and consistent, 2022).
        start: Version whose weights initialise the network, for all labels that it shares with the
            stills; it must have the recipe's network and preprocessing.
        on_step: Called after each step with the number of steps done and the number of all steps.
        resume: Whether to continue from the checkpoint, if there is one. The result equals that of
            an uninterrupted training.
        processes: Number of processes that make batches; 0 for a thread. The number does not change
            the batches. A script that asks for processes needs `if __name__ == "__main__":`,
            because each process imports the script.

    Raises:
        TrainingError: Memory ran out (as reported by Python or TensorFlow), a process that makes
            batches died, the training diverged, or the checkpoint is damaged or belongs to another
            training.
        ArtifactError: The weights to start with are damaged.
    """
    load_keras()
    try:
        with (
            bfloat16_arithmetic(recipe.bfloat16),
            BatchMaker(stills, recipe, processes) as maker,
        ):
            training = _Training(stills, validation, recipe, teachers, start, maker)
            saved = checkpoint.load() if checkpoint is not None and resume else None
            if saved is not None:
                training.give(saved)
            elif 0 in recipe.corrected_after and _knows_all(start, stills, recipe):
                training.correct()
            while not training.is_over:
                training.run_epoch(on_step)
                if checkpoint is not None:
                    checkpoint.save(training.state())
                if on_epoch is not None:
                    on_epoch(training.history)
    except (MemoryError, out_of_memory_error()) as error:
        raise TrainingError(
            f"out of memory with {recipe.batch_size} stills per step; "
            "give a smaller --batch-size, or close other programs"
        ) from error
    return Trained(training.finished_network(), training.history)


class _Training:
    """The state of a training between two epochs."""

    def __init__(
        self,
        stills: Stills,
        validation: Stills,
        recipe: Recipe,
        teachers: Sequence[Any],
        start: ModelVersion | None,
        maker: BatchMaker,
    ) -> None:
        self._stills, self._recipe = stills, recipe
        self._maker = maker
        labels = outputs_of(recipe, stills.labels)
        self._network = build_network(
            recipe.network,
            recipe.network_parameters,
            labels,
            shape_seen(recipe.preprocessing),
            seed=recipe.seed,
        )
        if start is not None:
            take_over(self._network, labels, start)
        counts = np.bincount(stills.label_numbers, minlength=len(stills.labels))
        shown = int(shown_per_epoch(counts, stills.labels, recipe).sum())
        self._batch_size = min(recipe.batch_size, shown)
        self._steps = shown // self._batch_size
        self._lesson = lesson_of(self._network, recipe, teachers, validation, self._steps)
        self._best: Mapping[str, NDArray[Any]] = {}
        self.history: tuple[Epoch, ...] = ()

    @property
    def is_over(self) -> bool:
        """Whether all epochs are done, or early stopping applies."""
        patience = self._recipe.patience_epochs
        since_best = len(self.history) - self._best_number
        return len(self.history) >= self._recipe.epochs or 0 < patience <= since_best

    @property
    def _best_number(self) -> int:
        losses = [epoch.validation_loss for epoch in self.history]
        return 1 + losses.index(min(losses)) if losses else 0

    def run_epoch(self, on_step: Callable[[int, int], None]) -> None:
        """Train for one epoch, then validate."""
        started = time.monotonic()
        number = len(self.history) + 1
        rate, loss, accuracy = self._learn(number, on_step)
        raw = values_of(self._network.trainable_variables)
        self._take_averages()
        validation_loss, validation_accuracy = self._lesson.validate()
        _check_finite(validation_loss, number)
        self.history += (
            Epoch(
                number,
                self._recipe.epochs,
                rate,
                loss,
                accuracy,
                validation_loss,
                validation_accuracy,
                time.monotonic() - started,
            ),
        )
        if self._recipe.patience_epochs and self._best_number == number:
            self._best = weights_of(self._network)
        if number in self._recipe.corrected_after:
            self.correct()
        give_values(self._network.trainable_variables, raw)

    def finished_network(self) -> Any:
        """Return the network with its averaged weights, or the weights of the best epoch."""
        if self.history:
            self._take_averages()
        if self._best:
            assign_weights(self._network, self._best)
        return self._network

    def state(self) -> State:
        """Return everything on which the next epoch depends."""
        best = {f"best {name}": values for name, values in self._best.items()}
        known = self._maker.whereabouts
        where = (
            {f"{_WHEREABOUTS}{name}": each for name, each in known.state().items()} if known else {}
        )
        return State(self.history, values_of(self._variables) | best | where)

    def give(self, state: State) -> None:
        """Restore a state."""
        if isinstance(self._lesson, LabelLesson):
            self._compile_first_side()
        give_values(self._variables, state.variables)
        where = {
            name.removeprefix(_WHEREABOUTS): values
            for name, values in state.variables.items()
            if name.startswith(_WHEREABOUTS)
        }
        if where:
            self._maker.learn_from(Whereabouts(**where))
        self._best = {
            name.removeprefix("best "): values
            for name, values in state.variables.items()
            if name.startswith("best ")
        }
        self.history = state.history

    def correct(self) -> None:
        """Update the boxes of the stills by the network's predictions, if it predicts boxes."""
        if isinstance(self._lesson, PlaceLesson):
            self._maker.learn_from(self._lesson.correct(self._stills, self._maker.drawn))

    def _compile_first_side(self) -> None:
        """Take a step on black pictures of the first epoch's size and discard its result.

        Keras compiles the first input size separately and all later sizes together, and the two
        round sums differently. A training that is resumed at a later size must therefore have
        compiled the first size too.
        """
        side = side_at(self._recipe, 1)
        black = np.zeros((self._batch_size, side, side, 3), np.uint8)
        targets = np.zeros((self._batch_size, len(self._stills.labels)), np.float32)
        self._lesson.learn(black, targets)

    @property
    def _variables(self) -> list[Any]:
        return [*self._network.variables, *self._lesson.optimizer.variables]

    def _learn(
        self, number: int, on_step: Callable[[int, int], None]
    ) -> tuple[float, float, float]:
        """Return the last learning rate, the mean loss and the accuracy of an epoch."""
        losses, accuracies = [], []
        rate = 0.0
        batches = self._maker.batches(number, self._steps, self._batch_size)
        for step, (pictures, targets) in enumerate(batches):
            rate = learning_rate(self._recipe, number - 1 + step / self._steps)
            self._lesson.optimizer.learning_rate.assign(rate)
            loss, accuracy = self._lesson.learn(pictures, targets)
            _check_finite(loss, number)
            losses.append(loss)
            accuracies.append(accuracy)
            on_step((number - 1) * self._steps + step + 1, self._recipe.epochs * self._steps)
        return rate, float(np.mean(losses)), float(np.mean(accuracies))

    def _take_averages(self) -> None:
        """Assign the averaged weights to the network, where the recipe averages them."""
        if self._recipe.average_epochs:
            optimizer = self._lesson.optimizer
            optimizer.finalize_variable_values(self._network.trainable_variables)


def _knows_all(start: ModelVersion | None, stills: Stills, recipe: Recipe) -> bool:
    """Tell whether a start can locate all labels of the stills."""
    labels = set(outputs_of(recipe, stills.labels))
    return start is not None and start.manifest.is_dense and labels <= set(start.manifest.labels)


def lesson_of(
    network: Any,
    recipe: Recipe,
    teachers: Sequence[Any],
    validation: Stills,
    steps_per_epoch: int,
) -> Lesson:
    """Return the lesson for a recipe's loss."""
    if recipe.loss == PLACES:
        return PlaceLesson(network, recipe, validation, steps_per_epoch)
    return LabelLesson(network, recipe, teachers, validation, steps_per_epoch)


def outputs_of(recipe: Recipe, labels: Sequence[str]) -> tuple[str, ...]:
    """Return the labels that a recipe's network has outputs for, out of those of the stills.

    A dense network has no output for `unknown`: where no label is likely, there is no known
    character.
    """
    return known_labels(labels) if recipe.loss == PLACES else tuple(labels)


def _check_finite(loss: float, number: int) -> None:
    """Stop a training that has diverged: weights that became NaN stay NaN.

    Raises:
        TrainingError: The loss is NaN or infinite.
    """
    if not math.isfinite(loss):
        raise TrainingError(
            f"the loss became NaN or infinite in epoch {number}: the training diverged; "
            "give another --seed, a larger --batch-size or another --recipe"
        )
