"""Batches to learn from, made while others are learnt.

A step on two cores takes longer than its batch, and a thread beside it makes the next ones. A GPU
is faster than a thread: where there are cores to spare, processes make them.
"""

import os
from collections.abc import Iterator
from concurrent.futures.process import BrokenProcessPool
from typing import Final, NamedTuple, Self

import numpy as np
from numpy.typing import NDArray

from model.augmentation import augmented_batch
from model.errors import TrainingError
from model.processes import Processes, taken_ahead
from model.recipe import Recipe
from model.schedule import epoch_order, side_at
from model.stills import Stills

Batch = tuple[NDArray[np.uint8], NDArray[np.float32]]
"""Pictures (n, side, side, 3) and their targets (n, labels)."""

_AHEAD: Final = 3  # batches, so that learning never waits
_MOST_PROCESSES: Final = 8  # of 120 MB each


class _Plan(NamedTuple):
    """What a batch is made of."""

    chosen: NDArray[np.int64]
    side: int
    seed: list[int]


class BatchMaker:
    """Makes the batches of each epoch, by chance that depends on seed, epoch and step alone.

    Args:
        stills: to make them of.
        recipe: how.
        processes: that make them; 0 for a thread of this one.
    """

    def __init__(self, stills: Stills, recipe: Recipe, processes: int) -> None:
        self._stills, self._recipe = stills, recipe
        self._processes = Processes(processes, _prepare, stills, recipe) if processes else None

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        if self._processes:
            self._processes.shutdown()

    def batches(self, epoch: int, steps: int, batch_size: int) -> Iterator[Batch]:
        """Yield an epoch's batches; what does not fill one waits for another epoch.

        Args:
            epoch: its number, from 1.
            steps: how many batches.
            batch_size: stills in each.

        Raises:
            TrainingError: a process died.
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
            else (_made(self._stills, self._recipe, plan) for plan in plans)
        )
        try:
            yield from taken_ahead(made, _AHEAD)
        except BrokenProcessPool as error:
            raise TrainingError(
                "a process that makes batches died, perhaps for want of memory; "
                "the same command with --resume goes on after the last epoch"
            ) from error


def processes_to_spare() -> int:
    """Return how many processes can make batches beside what computes: none on a small machine."""
    cores = len(os.sched_getaffinity(0))
    return min(_MOST_PROCESSES, cores // 2) if cores >= 4 else 0


def _made(stills: Stills, recipe: Recipe, plan: _Plan) -> Batch:
    rng = np.random.default_rng(plan.seed)
    return augmented_batch(stills, plan.chosen, recipe, plan.side, rng)


_prepared: list[tuple[Stills, Recipe]] = []  # one, in a process of a maker


def _prepare(stills: Stills, recipe: Recipe) -> None:
    _prepared.append((stills, recipe))


def _make_of_prepared(plan: _Plan) -> Batch:
    [(stills, recipe)] = _prepared
    return _made(stills, recipe, plan)
