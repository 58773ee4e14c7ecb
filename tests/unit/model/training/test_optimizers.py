"""The optimisers of recipes."""

from dataclasses import replace
from typing import Any

import numpy as np
import pytest

from model.inference.tensorflow_runtime import bfloat16_arithmetic, load_tensorflow
from model.recipe import BASELINE, REGIONAL
from model.training.optimizers import build_optimizer


def variable(values: Any, name: str) -> Any:
    load_tensorflow()
    import keras

    return keras.Variable(np.asarray(values, np.float32), name=name)


def test_a_step_of_muon_changes_a_convolution_in_all_directions_alike() -> None:
    """Against the singular values of the step, by NumPy."""
    recipe = replace(REGIONAL, weight_decay=0.0, average_epochs=0.0)
    before = np.random.default_rng(0).normal(size=(3, 3, 16, 24))
    # a gradient with one direction a hundred times as steep as the others
    gradient = np.random.default_rng(1).normal(size=before.shape)
    gradient += 100 * np.ones_like(gradient)
    kernel = variable(before, "kernel")
    optimizer = build_optimizer(recipe, 10)
    optimizer.build([kernel])
    optimizer.apply([variable(gradient, "gradient").value], [kernel])
    step = (before - np.asarray(kernel.value)).reshape(-1, 24)
    singular = np.linalg.svd(step, compute_uv=False)
    steepness = np.linalg.svd(gradient.reshape(-1, 24), compute_uv=False)
    assert steepness[0] / steepness[-1] > 100
    assert singular[0] / singular[-1] < 2.5  # the five iterations end between 0.7 and 1.2
    # scaled as in Liu et al., 2025: 0.2 * sqrt(the longer side) * the learning rate
    assert np.median(singular) == pytest.approx(0.2 * np.sqrt(144) * 4e-3, rel=0.3)


@pytest.mark.parametrize("name", ["adamw", "muon"])
def test_what_is_no_convolution_takes_steps_of_adam(name: str) -> None:
    recipe = replace(REGIONAL, optimizer=name, weight_decay=0.0, average_epochs=0.0)
    kernel = variable(np.zeros((4, 2)), "kernel")
    optimizer = build_optimizer(recipe, 10)
    optimizer.build([kernel])
    gradient = np.array([[1.0, -2.0]] * 4, np.float32)
    optimizer.apply([variable(gradient, "gradient").value], [kernel])
    # the first step of Adam is the learning rate, against the sign of the gradient
    expected = -recipe.learning_rate * np.sign(gradient)
    np.testing.assert_allclose(np.asarray(kernel.value), expected, rtol=1e-3)


@pytest.mark.parametrize("name", ["adamw", "muon"])
def test_weights_of_connections_decay_and_shifts_do_not(name: str) -> None:
    recipe = replace(REGIONAL, optimizer=name, weight_decay=0.5, learning_rate=0.1)
    kernels = [variable(np.ones((1, 1, 4, 4)), "kernel"), variable(np.ones((4, 4)), "kernel")]
    bias = variable(np.ones(4), "bias")
    optimizer = build_optimizer(recipe, 10)
    optimizer.build([*kernels, bias])
    zeros = [variable(np.zeros(one.shape), "gradient").value for one in (*kernels, bias)]
    optimizer.apply(zeros, [*kernels, bias])
    for kernel in kernels:
        np.testing.assert_allclose(np.asarray(kernel.value), 1 - 0.5 * 0.1, rtol=1e-6)
    np.testing.assert_array_equal(np.asarray(bias.value), 1.0)


def test_adam_of_the_task_has_no_decay_and_no_averages() -> None:
    optimizer = build_optimizer(BASELINE, 10)
    assert type(optimizer).__name__ == "Adam"
    assert not optimizer.use_ema
    assert optimizer.weight_decay is None


@pytest.mark.parametrize("wanted", [True, False])
def test_bfloat16_is_used_inside_only_and_only_if_wanted(
    wanted: bool, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(
        "model.inference.tensorflow_runtime._has_bfloat16_instructions", lambda: True
    )
    options = load_tensorflow().config.optimizer
    name = "auto_mixed_precision_onednn_bfloat16"
    with bfloat16_arithmetic(wanted):
        assert options.get_experimental_options().get(name, False) is wanted
    assert not options.get_experimental_options().get(name, False)


def test_bfloat16_is_left_alone_where_the_processor_would_imitate_it(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr(
        "model.inference.tensorflow_runtime._has_bfloat16_instructions", lambda: False
    )
    options = load_tensorflow().config.optimizer
    with bfloat16_arithmetic(wanted=True):
        assert not options.get_experimental_options().get(
            "auto_mixed_precision_onednn_bfloat16", False
        )
