"""A training that is killed and resumed ends as one that was never broken."""

import shutil
import signal
import subprocess
import sys
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest

from model.networks.named import weights_of
from model.training.checkpoint import Checkpoint
from model.training.history import Epoch
from model.training.loop import Trained
from model.training.schedule import side_at
from tests.servers.commands import environment_of
from tests.stills.tiny_training import IDENTITY, STEPS_PER_EPOCH, TINY_REGIONAL, train_tiny

pytestmark = pytest.mark.integration

ROOT = Path(__file__).parents[3]


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Where the checkpoint of the unbroken training lay after each epoch: in `1`, `2`..."""
    return tmp_path_factory.mktemp("checkpoints")


@pytest.fixture(scope="module")
def unbroken(folder: Path) -> Trained:
    running = folder / "running"

    def keep(history: tuple[Epoch, ...]) -> None:
        shutil.copytree(running, folder / str(len(history)))

    return train_tiny(running, on_epoch=keep)


def without_seconds(history: tuple[Epoch, ...]) -> list[Epoch]:
    return [replace(epoch, seconds=0.0) for epoch in history]


def assert_same(found: Trained, expected: Trained) -> None:
    """Bit for bit."""
    assert without_seconds(found.history) == without_seconds(expected.history)
    theirs = weights_of(expected.network)
    for name, values in weights_of(found.network).items():
        np.testing.assert_array_equal(values, theirs[name], name)


def test_recipe_is_put_to_the_test_with_all_that_changes_between_epochs() -> None:
    assert [side_at(TINY_REGIONAL, number) for number in (1, 2, 3, 4)] == [48, 48, 48, 64]
    assert TINY_REGIONAL.average_epochs
    assert TINY_REGIONAL.warm_up_epochs
    assert TINY_REGIONAL.network_parameters["dropout"]


@pytest.mark.parametrize("done_epochs", [1, 3, 4])  # after the second it is killed below
def test_resumed_after_any_epoch_it_ends_the_same(
    done_epochs: int, unbroken: Trained, folder: Path, tmp_path: Path
) -> None:
    copy = shutil.copytree(folder / str(done_epochs), tmp_path / "copy")
    numbers: list[int] = []
    resumed = train_tiny(copy, resume=True, on_epoch=lambda history: numbers.append(len(history)))
    assert numbers == list(range(done_epochs + 1, 5))  # nothing is trained twice
    assert_same(resumed, unbroken)


def test_killed_in_the_middle_of_an_epoch_it_goes_on_and_ends_the_same(
    unbroken: Trained, tmp_path: Path
) -> None:
    fatal_step = 2 * STEPS_PER_EPOCH + 2  # the second step of the third epoch
    killed = subprocess.run(
        [sys.executable, "-m", "tests.stills.tiny_training", str(tmp_path), str(fatal_step)],
        cwd=ROOT,
        env=environment_of(tmp_path),
        capture_output=True,
        text=True,
    )
    assert killed.returncode == -signal.SIGKILL, killed.stderr
    left = Checkpoint(tmp_path, IDENTITY).load()
    assert left is not None
    assert len(left.history) == 2
    assert_same(train_tiny(tmp_path, resume=True), unbroken)
