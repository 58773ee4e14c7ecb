"""Batches to learn from, made while others are learnt.

A step on two cores takes longer than its batch, and a thread beside it makes the next ones. A GPU
is faster than a thread: where there are cores to spare, processes make them.
"""

import functools
import multiprocessing
import os
from collections.abc import Callable, Iterator
from concurrent.futures import Executor, ProcessPoolExecutor, ThreadPoolExecutor
from concurrent.futures.process import BrokenProcessPool
from typing import Final, Self

import numpy as np
from numpy.typing import NDArray

from model.augmentation import augmented_batch
from model.errors import TrainingError
from model.processes import follow_parent, results_in_order
from model.recipe import Recipe
from model.schedule import epoch_order, side_at
from model.stills import Stills

Batch = tuple[NDArray[np.uint8], NDArray[np.float32]]
"""Pictures (n, side, side, 3) and their targets (n, labels)."""

_AHEAD: Final = 3  # of each that makes them, so that none waits
_MOST_PROCESSES: Final = 8  # of 120 MB each


class BatchMaker:
    """Makes the batches of each epoch, by chance that depends on seed, epoch and step alone.

    Args:
        stills: to make them of.
        recipe: how.
        processes: that make them; 0 for a thread of this one.
    """

    def __init__(self, stills: Stills, recipe: Recipe, processes: int) -> None:
        self._stills, self._recipe = stills, recipe
        self._makers = max(1, processes)
        self._pool: Executor
        self._make: Callable[[NDArray[np.int64], int, list[int]], Batch]
        if processes:
            # spawned: a fork would copy this process's threads' locks in whatever state they are
            context = multiprocessing.get_context("spawn")
            self._pool = ProcessPoolExecutor(
                processes, context, initializer=_prepare, initargs=(stills, recipe)
            )
            self._make = _make_of_prepared
        else:
            self._pool = ThreadPoolExecutor(1)
            self._make = functools.partial(_made, stills, recipe)

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self._pool.shutdown(cancel_futures=True)

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
        chosen = (order[step * batch_size : (step + 1) * batch_size] for step in range(steps))
        futures = (
            self._pool.submit(self._make, indices, side, [seed, epoch, step])
            for step, indices in enumerate(chosen)
        )
        try:
            yield from results_in_order(futures, _AHEAD * self._makers)
        except BrokenProcessPool as error:
            raise TrainingError(
                "a process that makes batches died, perhaps for want of memory; "
                "the same command with --resume goes on after the last epoch"
            ) from error


def processes_to_spare() -> int:
    """Return how many processes can make batches beside what computes: none on a small machine."""
    cores = len(os.sched_getaffinity(0))
    return min(_MOST_PROCESSES, cores // 2) if cores >= 4 else 0


def _made(
    stills: Stills, recipe: Recipe, chosen: NDArray[np.int64], side: int, seed: list[int]
) -> Batch:
    return augmented_batch(stills, chosen, recipe, side, np.random.default_rng(seed))


_prepared: list[tuple[Stills, Recipe]] = []  # one, in the processes of a pool


def _prepare(stills: Stills, recipe: Recipe) -> None:
    follow_parent()
    _prepared.append((stills, recipe))


def _make_of_prepared(chosen: NDArray[np.int64], side: int, seed: list[int]) -> Batch:
    [(stills, recipe)] = _prepared
    return _made(stills, recipe, chosen, side, seed)
