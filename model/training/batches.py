"""Prepare training batches while the network learns from earlier ones.

On two cores a training step takes longer than preparing its batch, so one background thread keeps
up. A GPU is faster than a thread: where cores are free, worker processes prepare the batches.
"""

import os
from collections.abc import Iterator
from concurrent.futures.process import BrokenProcessPool
from typing import Any, Final, NamedTuple, Protocol, Self

import numpy as np
from numpy.typing import NDArray

from model.dataset.stills import Stills
from model.errors import TrainingError
from model.processes import Processes, taken_ahead
from model.recipe import Recipe
from model.scenes.augmentation import augmented_batch
from model.scenes.batches import SceneBatches
from model.scenes.whereabouts import Whereabouts
from model.training.schedule import epoch_order, side_at
from model.version.manifest import PLACES

Batch = tuple[NDArray[np.uint8], Any]
"""Pictures (n, height, width, 3) and their targets: (n, labels), or, for a network that learns
places, `model.scenes.place_targets.Targets`."""

_AHEAD: Final = 3  # batches that are prepared ahead, so that training never waits
_MOST_PROCESSES: Final = 8  # each takes 120 MB


class _Plan(NamedTuple):
    """The stills, picture size and random seed of one batch."""

    chosen: NDArray[np.int64]
    """Indices of the stills."""
    side: int
    """Height and width of square pictures in pixels."""
    seed: list[int]
    """Seed of the batch's random number generator."""


class BatchMaker:
    """Makes the batches of each epoch; randomness depends on seed, epoch and step alone.

    Args:
        stills: The stills that the batches are made of.
        recipe: How the stills are sampled and augmented.
        processes: Number of worker processes; 0 for one thread of this process.
    """

    def __init__(self, stills: Stills, recipe: Recipe, processes: int) -> None:
        self._stills, self._recipe, self._count = stills, recipe, processes
        self._processes: Processes | None = None
        self.whereabouts = Whereabouts.as_drawn(stills) if recipe.loss == PLACES else None
        """The bounding boxes of the stills, if the recipe learns places."""
        self._begin()

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self._end()

    @property
    def drawn(self) -> Whereabouts:
        """The boxes and labels as the annotators gave them."""
        return Whereabouts.as_drawn(self._stills)

    def learn_from(self, whereabouts: Whereabouts) -> None:
        """Make the batches of the next epochs from these boxes."""
        self._end()
        self.whereabouts = whereabouts
        self._begin()

    def _begin(self) -> None:
        made_of = self._stills, self._recipe, self.whereabouts
        if self._count:
            self._processes = Processes(self._count, _prepare, *made_of)
        else:
            self._source = _source(*made_of)

    def _end(self) -> None:
        if self._processes:
            self._processes.shutdown()

    def batches(self, epoch: int, steps: int, batch_size: int) -> Iterator[Batch]:
        """Yield the batches of an epoch; stills that do not fill a batch wait for another epoch.

        Args:
            epoch: Number of the epoch, from 1.
            steps: Number of batches.
            batch_size: Stills in each batch.

        Raises:
            TrainingError: A worker process died.
        """
        seed = self._recipe.seed
        order = epoch_order(
            self._stills.label_numbers,
            self._stills.labels,
            self._recipe,
            np.random.default_rng([seed, epoch]),
        )
        side = side_at(self._recipe, epoch)
        plans = (
            _Plan(order[step * batch_size : (step + 1) * batch_size], side, [seed, epoch, step])
            for step in range(steps)
        )
        made = (
            self._processes.results(_make_of_prepared, plans)
            if self._processes
            else (self._source(plan) for plan in plans)
        )
        try:
            yield from taken_ahead(made, _AHEAD)
        except BrokenProcessPool as error:
            raise TrainingError(
                "a process that makes batches died, perhaps because memory ran out; "
                "the same command with --resume continues after the last epoch"
            ) from error


def processes_to_spare() -> int:
    """Return how many processes can make batches beside the training: none on a small machine."""
    cores = len(os.sched_getaffinity(0))
    return min(_MOST_PROCESSES, cores // 2) if cores >= 4 else 0


class _Source(Protocol):
    def __call__(self, plan: _Plan) -> Batch: ...


def _source(stills: Stills, recipe: Recipe, whereabouts: Whereabouts | None) -> _Source:
    """Return the function that makes batches of these stills by the recipe."""
    if whereabouts is not None:
        scenes = SceneBatches(stills, whereabouts, recipe)
        return lambda plan: scenes.batch(plan.chosen, np.random.default_rng(plan.seed))
    return lambda plan: augmented_batch(
        stills, plan.chosen, recipe, plan.side, np.random.default_rng(plan.seed)
    )


_prepared: list[_Source] = []  # holds one source in each worker process


def _prepare(stills: Stills, recipe: Recipe, whereabouts: Whereabouts | None) -> None:
    _prepared.append(_source(stills, recipe, whereabouts))


def _make_of_prepared(plan: _Plan) -> Batch:
    [source] = _prepared
    return source(plan)
