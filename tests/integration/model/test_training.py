"""The training loop: seeds, early stop, and memory that runs out."""

from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from numpy.typing import NDArray

from model.dataset.stills import Stills
from model.errors import TrainingError
from model.inference.tensorflow_runtime import load_tensorflow
from model.networks.named import weights_of
from model.recipe import BASELINE, Recipe
from model.training.checkpoint import Checkpoint
from model.training.loop import Trained, train
from tests.servers.processes import kill_spawned
from tests.video.drawn_shapes import shape_stills

pytestmark = pytest.mark.integration

TINY = replace(
    BASELINE,
    network_parameters={"filters": [4, 8], "dense": 8},
    epochs=2,
    batch_size=12,
    mirror=True,
    pasted_halves=0.3,
)


@pytest.fixture(scope="module")
def stills() -> Stills:
    return shape_stills(12)


@pytest.fixture(scope="module")
def validation() -> Stills:
    return shape_stills(4, first_seed=500)


def weights_by(stills: Stills, validation: Stills, recipe: Recipe) -> dict[str, NDArray[Any]]:
    return dict(weights_of(train(stills, validation, recipe).network))


def equal(first: dict[str, NDArray[Any]], second: dict[str, NDArray[Any]]) -> bool:
    return all(np.array_equal(values, second[name]) for name, values in first.items())


def test_same_seed_gives_the_same_weights_bit_for_bit_and_another_seed_others(
    stills: Stills, validation: Stills
) -> None:
    first, again, other = (
        weights_by(stills, validation, replace(TINY, seed=seed)) for seed in (0, 0, 1)
    )
    assert equal(first, again)
    assert not any(np.array_equal(first[name], other[name]) for name in first)


def test_history_measures_validation_stills_as_inference_sees_them(
    stills: Stills, validation: Stills
) -> None:
    """The last epoch's figures, from the network that came out and scikit-learn."""
    from sklearn.metrics import accuracy_score, log_loss

    trained = train(stills, validation, TINY)
    logits = np.asarray(trained.network(validation.inputs(np.arange(len(validation)))))
    powers = np.exp(logits.astype(np.float64))
    shares = powers / powers.sum(axis=1, keepdims=True)
    last = trained.history[-1]
    truth = validation.label_numbers
    assert last.validation_loss == pytest.approx(log_loss(truth, shares), rel=1e-4)
    assert last.validation_accuracy == accuracy_score(truth, shares.argmax(axis=1))
    assert [epoch.number for epoch in trained.history] == [1, 2]
    assert {epoch.epochs for epoch in trained.history} == {2}
    assert {epoch.learning_rate for epoch in trained.history} == {0.001}


def test_averaged_weights_are_those_that_come_out(stills: Stills, validation: Stills) -> None:
    """Of two steps: a third of what the first made and two thirds of what the second made."""
    two_steps = replace(TINY, epochs=2, batch_size=36)
    first, second = (
        weights_by(stills, validation, replace(two_steps, epochs=epochs)) for epochs in (1, 2)
    )
    # half an epoch of one step: momentum 0.5 / 1.5
    averaged = weights_by(stills, validation, replace(two_steps, average_epochs=0.5))
    for name, values in averaged.items():
        expected = first[name] / 3 + second[name] * 2 / 3
        np.testing.assert_allclose(values, expected, rtol=1e-5, atol=1e-7)


class Killed(Exception):  # noqa: N818
    """Stands for a kill."""


def with_losses(monkeypatch: pytest.MonkeyPatch, losses: Sequence[float]) -> None:
    """Let each epoch end with the next of these validation losses, and break off after them."""
    coming = iter(losses)

    def validate(_training: object) -> tuple[float, float]:
        for loss in coming:
            return loss, 0.5
        raise Killed

    monkeypatch.setattr("model.training.label_lesson.LabelLesson.validate", validate)


def numbers_of(trained: Trained) -> list[int]:
    return [epoch.number for epoch in trained.history]


def test_early_stop_keeps_the_weights_of_the_best_epoch(
    stills: Stills, validation: Stills, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    two_epochs = weights_by(stills, validation, TINY)
    patient = replace(TINY, epochs=9, patience_epochs=2)
    with_losses(monkeypatch, [1.0, 0.5, 0.7, 0.6])
    stopped = train(stills, validation, patient)
    assert numbers_of(stopped) == [1, 2, 3, 4]
    assert equal(dict(weights_of(stopped.network)), two_epochs)

    # and so does one that is killed after the best epoch
    with_losses(monkeypatch, [1.0, 0.5, 0.7])
    checkpoint = Checkpoint(tmp_path, "early stop")
    with pytest.raises(Killed):
        train(stills, validation, patient, checkpoint=checkpoint)
    with_losses(monkeypatch, [0.6])
    resumed = train(stills, validation, patient, checkpoint=checkpoint, resume=True)
    assert numbers_of(resumed) == [1, 2, 3, 4]
    assert equal(dict(weights_of(resumed.network)), two_epochs)


def test_without_resume_a_training_begins_anew(
    stills: Stills, validation: Stills, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    checkpoint = Checkpoint(tmp_path, "anew")
    for losses in ([1.0], [0.9]):
        with_losses(monkeypatch, losses)
        with pytest.raises(Killed):
            train(stills, validation, TINY, checkpoint=checkpoint)
    left = checkpoint.load()
    assert left is not None
    assert [epoch.validation_loss for epoch in left.history] == [0.9]


def test_training_that_gets_better_is_not_stopped(
    stills: Stills, validation: Stills, monkeypatch: pytest.MonkeyPatch
) -> None:
    with_losses(monkeypatch, [1.0, 1.1, 0.9, 1.0])
    recipe = replace(TINY, epochs=4, patience_epochs=2)
    assert numbers_of(train(stills, validation, recipe)) == [1, 2, 3, 4]


@pytest.mark.parametrize("kind", ["host", "device"])
def test_memory_that_runs_out_is_one_line_that_names_the_option(
    stills: Stills, validation: Stills, monkeypatch: pytest.MonkeyPatch, kind: str
) -> None:
    tensorflow = load_tensorflow()

    def refuse(*_arguments: Any) -> None:
        if kind == "host":
            raise MemoryError
        raise tensorflow.errors.ResourceExhaustedError(None, None, "OOM when allocating\nmore")

    monkeypatch.setattr("keras.Model.train_on_batch", refuse)
    with pytest.raises(TrainingError, match="out of memory with 12 stills per step") as caught:
        train(stills, validation, TINY)
    assert "--batch-size" in str(caught.value)
    assert "\n" not in str(caught.value)


@pytest.mark.parametrize("loss", [float("nan"), float("inf")])
def test_training_that_diverges_stops_at_once_and_keeps_no_checkpoint_of_it(
    stills: Stills, validation: Stills, monkeypatch: pytest.MonkeyPatch, tmp_path: Path, loss: float
) -> None:
    taken: list[float] = []

    def step(*_arguments: Any) -> tuple[float, float]:
        taken.append(0.5 if len(taken) < 3 else loss)  # of three steps per epoch
        return taken[-1], 0.5

    monkeypatch.setattr("keras.Model.train_on_batch", step)
    checkpoint = Checkpoint(tmp_path, "diverging")
    with pytest.raises(TrainingError, match="became NaN or infinite in epoch 2") as caught:
        train(stills, validation, TINY, checkpoint=checkpoint)
    assert len(taken) == 4
    assert "--seed" in str(caught.value)
    left = checkpoint.load()
    assert left is not None
    assert len(left.history) == 1


def test_validation_that_is_no_number_stops_a_training(
    stills: Stills, validation: Stills, monkeypatch: pytest.MonkeyPatch
) -> None:
    with_losses(monkeypatch, [1.0, float("nan")])
    with pytest.raises(TrainingError, match="became NaN or infinite in epoch 2"):
        train(stills, validation, TINY)


def test_a_batch_is_never_larger_than_an_epoch(stills: Stills, validation: Stills) -> None:
    assert len(train(stills, validation, replace(TINY, epochs=1, batch_size=4096)).history) == 1


class Recorder:
    """Stands for Keras' step and keeps what it is given."""

    def __init__(self) -> None:
        self.pictures: list[NDArray[np.uint8]] = []
        self.targets: list[NDArray[np.float32]] = []

    def step(self, pictures: NDArray[np.uint8], targets: NDArray[np.float32]) -> tuple[float, ...]:
        self.pictures.append(pictures)
        self.targets.append(targets)
        return 0.5, 0.5


class Teacher:
    """Says of every picture how bright it is, and nothing else."""

    def __init__(self, scale: float) -> None:
        self._scale = scale

    def predict_on_batch(self, pictures: NDArray[np.uint8]) -> NDArray[np.float32]:
        brightness = pictures.reshape(len(pictures), -1).mean(axis=1) / 255
        return np.asarray(self._scale * brightness[:, None] * [[1.0, 2.0, 3.0]], np.float32)


@pytest.mark.parametrize("loss", ["categorical", "binary"])
def test_teachers_answers_to_the_very_pictures_are_their_share_of_the_targets(
    stills: Stills, validation: Stills, monkeypatch: pytest.MonkeyPatch, loss: str
) -> None:
    recipe = replace(TINY, loss=loss, label_smoothing=0.1, taught=0.75)
    alone, taught = Recorder(), Recorder()
    monkeypatch.setattr("keras.Model.train_on_batch", lambda _, *batch: alone.step(*batch))
    train(stills, validation, recipe)
    monkeypatch.setattr("keras.Model.train_on_batch", lambda _, *batch: taught.step(*batch))
    train(stills, validation, recipe, teachers=[Teacher(1.0), Teacher(-2.0)])

    assert len(alone.targets) == 6
    for number, (pictures, targets) in enumerate(zip(taught.pictures, taught.targets, strict=True)):
        np.testing.assert_array_equal(pictures, alone.pictures[number])
        answers = []
        for scale in (1.0, -2.0):
            powers = np.exp(Teacher(scale).predict_on_batch(pictures).astype(np.float64))
            others = powers.sum(axis=1, keepdims=True) if loss == "categorical" else 1 + powers
            answers.append(powers / others)
        # what Keras makes of targets that it smooths itself
        smoothed = 0.9 * alone.targets[number] + 0.1 / (3 if loss == "categorical" else 2)
        expected = 0.25 * smoothed + 0.75 * (answers[0] + answers[1]) / 2
        np.testing.assert_allclose(targets, expected, rtol=1e-5)


def test_processes_make_the_batches_that_a_thread_makes(stills: Stills, validation: Stills) -> None:
    by_thread, by_processes = (
        dict(weights_of(train(stills, validation, TINY, processes=processes).network))
        for processes in (0, 2)
    )
    assert equal(by_thread, by_processes)


def test_a_killed_process_that_makes_batches_is_one_line_that_says_how_to_go_on(
    stills: Stills, validation: Stills, monkeypatch: pytest.MonkeyPatch
) -> None:
    def kill_makers(*_arguments: Any) -> tuple[float, float]:
        kill_spawned()
        return 0.5, 0.5

    monkeypatch.setattr("keras.Model.train_on_batch", kill_makers)
    many = replace(TINY, epochs=9)
    with pytest.raises(TrainingError, match="a process that makes batches died") as caught:
        train(stills, validation, many, processes=1)
    assert "--resume" in str(caught.value)
    assert "\n" not in str(caught.value)
