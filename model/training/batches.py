"""Batches to learn from, made while others are learnt.

A step on two cores takes longer than its batch, and a thread beside it makes the next ones. A GPU
is faster than a thread: where there are cores to spare, processes make them.
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
"""Pictures (n, height, width, 3) and their targets: (n, labels), or, for places,
`model.scenes.place_targets.Targets`."""

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
        self._stills, self._recipe, self._count = stills, recipe, processes
        self._processes: Processes | None = None
        self.whereabouts = Whereabouts.as_drawn(stills) if recipe.loss == PLACES else None
        """Who is where in the stills, where that matters."""
        self._begin()

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self._end()

    @property
    def drawn(self) -> Whereabouts:
        """What people said of who is where."""
        return Whereabouts.as_drawn(self._stills)

    def learn_from(self, whereabouts: Whereabouts) -> None:
        """Make the next epochs' batches by what is known now."""
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
            else (self._source(plan) for plan in plans)
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


class _Source(Protocol):
    def __call__(self, plan: _Plan) -> Batch: ...


def _source(stills: Stills, recipe: Recipe, whereabouts: Whereabouts | None) -> _Source:
    """Return what makes a recipe's batches of stills."""
    if whereabouts is not None:
        scenes = SceneBatches(stills, whereabouts, recipe)
        return lambda plan: scenes.batch(plan.chosen, np.random.default_rng(plan.seed))
    return lambda plan: augmented_batch(
        stills, plan.chosen, recipe, plan.side, np.random.default_rng(plan.seed)
    )


_prepared: list[_Source] = []  # one, in a process of a maker


def _prepare(stills: Stills, recipe: Recipe, whereabouts: Whereabouts | None) -> None:
    _prepared.append(_source(stills, recipe, whereabouts))


def _make_of_prepared(plan: _Plan) -> Batch:
    [source] = _prepared
    return source(plan)
