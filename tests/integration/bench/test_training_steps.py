"""The rate of training is that of whole steps, on the clock."""

from collections.abc import Iterator
from types import SimpleNamespace

import pytest

from bench import training_steps
from model.recipe import Recipe
from tests.stills.tiny_dense import TINY_DENSE
from tests.stills.tiny_training import TINY_REGIONAL

pytestmark = pytest.mark.integration


@pytest.mark.parametrize(("recipe", "side"), [(TINY_REGIONAL, 48), (TINY_DENSE, 0)])
def test_rate_counts_the_stills_of_the_steps_after_the_warm_up(
    recipe: Recipe, side: int, monkeypatch: pytest.MonkeyPatch
) -> None:
    clock: Iterator[float] = iter([100.0, 102.0])
    monkeypatch.setattr(training_steps, "WARM_UP_STEPS", 1)
    monkeypatch.setattr(training_steps, "STEPS", 3)
    own_time = SimpleNamespace(perf_counter=lambda: next(clock))
    monkeypatch.setattr(training_steps, "time", own_time)
    # three steps of 8 stills in two seconds
    assert training_steps.stills_per_second(recipe, side) == 12
