"""The losses of places, against plain NumPy."""

from typing import Any

import numpy as np
import pytest
from numpy.typing import NDArray

from model.inference.tensorflow_runtime import load_tensorflow
from model.networks.named import build_network
from model.scenes.place_targets import Targets
from model.training import place_loss

LABELS = 3
SHAPE = (2, 4, 6)
"""Scenes, rows and columns."""


@pytest.fixture(scope="module", autouse=True)
def _keras() -> None:
    load_tensorflow()


def chance(seed: int, *shape: int) -> NDArray[np.float64]:
    return np.random.default_rng(seed).normal(size=shape)


def with_counts(seed: int, *shape: int) -> NDArray[np.float32]:
    """Whether each of LABELS is there, and how much that counts."""
    rng = np.random.default_rng(seed)
    right = rng.random((*shape, LABELS)) < 0.2
    counts = rng.choice([0, 0.4, 0.5, 1], (*shape, LABELS))
    return np.concatenate([right, counts], axis=-1).astype(np.float32)


def found(loss: Any, targets: NDArray[Any], answers: NDArray[Any]) -> float:
    from keras import ops

    return float(
        loss(*(ops.convert_to_tensor(each.astype(np.float32)) for each in (targets, answers)))
    )


def surprise(right: NDArray[Any], logits: NDArray[Any]) -> NDArray[Any]:
    likely = 1 / (1 + np.exp(-logits))
    return np.asarray(-np.log(np.where(right == 1, likely, 1 - likely)))


def test_places_count_by_how_wrong_they_are_and_fourfold_where_somebody_is() -> None:
    targets, logits = with_counts(1, *SHAPE), 3 * chance(2, *SHAPE, LABELS)
    right, counts = targets[..., :LABELS], targets[..., LABELS:]
    likely = 1 / (1 + np.exp(-logits))
    wrong = np.where(right == 1, 1 - likely, likely)
    total = (counts * np.where(right == 1, 4, 1) * wrong**2 * surprise(right, logits)).sum()
    expected = total / ((right * counts).sum() + 16)
    assert found(place_loss._places_loss, targets, logits) == pytest.approx(expected, rel=1e-4)


def test_edges_count_where_somebody_is_by_the_square_of_small_errors_alone() -> None:
    counts = np.random.default_rng(3).choice([0, 0.4, 1], (*SHAPE, 1))
    targets = np.concatenate([chance(4, *SHAPE, 4), counts], axis=-1).astype(np.float32)
    said = chance(5, *SHAPE, 4)
    total = 0.0
    for place in np.ndindex(*SHAPE):
        for edge in range(4):
            error = abs(said[*place, edge] - targets[*place, edge])
            cost = error**2 / 0.6 if error < 0.3 else error - 0.15
            total += cost * targets[*place, 4]
    expected = total / (4 * counts.sum() + 16)
    assert found(place_loss._edges_loss, targets, said) == pytest.approx(expected, rel=1e-4)


def test_the_picture_counts_as_a_whole() -> None:
    targets, logits = with_counts(6, 5), 3 * chance(7, 5, LABELS)
    right, counts = targets[..., :LABELS], targets[..., LABELS:]
    expected = (counts * surprise(right, logits)).sum() / ((right * counts).sum() + 4)
    assert found(place_loss._picture_loss, targets, logits) == pytest.approx(expected, rel=1e-4)
    present = right * counts
    share = (present * (logits > 0)).sum() / present.sum()
    assert found(place_loss._found, targets, logits) == pytest.approx(share, rel=1e-4)


def test_logits_beyond_all_bounds_have_finite_losses() -> None:
    targets = with_counts(1, *SHAPE)
    logits = np.where(targets[..., :LABELS] == 1, -1e4, 1e4)
    for loss in (place_loss._places_loss, place_loss._picture_loss):
        assert np.isfinite(found(loss, targets, logits))


def test_nobody_anywhere_is_no_division_by_zero() -> None:
    nothing = np.zeros((*SHAPE, 2 * LABELS), np.float32)
    assert found(place_loss._places_loss, nothing, chance(1, *SHAPE, LABELS)) == 0
    assert found(place_loss._edges_loss, np.zeros((*SHAPE, 5)), chance(1, *SHAPE, 4)) == 0
    assert found(place_loss._found, nothing[0, 0], chance(1, SHAPE[2], LABELS)) == 0


def test_network_learns_from_its_own_answers_and_the_mean_of_its_three_likeliest_places() -> None:
    import keras

    parameters = {"widths": [8] * 5, "blocks": [1] * 5, "joined": 8, "head": 8}
    network = build_network("dense", parameters, ["a", "b", "c"], (64, 96), seed=2)
    pictures = np.random.default_rng(0).integers(0, 256, (2, 64, 96, 3), np.uint8)
    answers = np.asarray(network(pictures))
    assert answers.shape == (2, 4, 6, LABELS + 4)

    learner = place_loss.learning_network(network, LABELS)
    said = {name: np.asarray(each) for name, each in learner(pictures).items()}
    np.testing.assert_allclose(said["places"], answers[..., :LABELS], rtol=1e-5)
    np.testing.assert_allclose(said["edges"], answers[..., LABELS:], rtol=1e-5)
    top = np.sort(answers[..., :LABELS].reshape(2, -1, LABELS), axis=1)[:, -3:].mean(axis=1)
    np.testing.assert_allclose(said["picture"], top, rtol=1e-5)

    # at learning rate 0 a step tells the loss alone: all of places, a fifth of edges, half the rest
    place_loss.compile_learning(learner, keras.optimizers.SGD(0.0))
    edges = np.concatenate([chance(4, *SHAPE, 4), np.ones((*SHAPE, 1))], axis=-1)
    targets = Targets(with_counts(1, *SHAPE), edges.astype(np.float32), with_counts(6, 2))
    parts = [
        found(place_loss._places_loss, targets.places, said["places"]),
        found(place_loss._edges_loss, targets.edges, said["edges"]),
        found(place_loss._picture_loss, targets.picture, said["picture"]),
    ]
    learner.trainable = False  # normalisations answer as they did
    told = learner.train_on_batch(pictures, place_loss.by_output(targets), return_dict=True)
    assert told["loss"] == pytest.approx(parts[0] + 0.2 * parts[1] + 0.5 * parts[2], rel=1e-3)
