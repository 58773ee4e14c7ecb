"""Networks built from a manifest's numbers: their sizes, their bounds, their mirror images."""

from pathlib import Path
from typing import Any

import numpy as np
import pytest

from model.errors import ModelError
from model.networks import baseline, dense, residual
from model.networks.named import (
    add_to_logits,
    assign_weights,
    build_network,
    network_of,
    shapes_of,
    take_over,
    weights_of,
)
from model.version.artifact import write_model_version
from tests.stills.models import LABELS, manifest_by_lot, write_model_by_lot

pytestmark = pytest.mark.integration

LABELS_17 = [f"label_{number}" for number in range(17)]
TINY_TRUNK = {"widths": [8] * 5, "blocks": [1] * 5}
TINY_DENSE = {**TINY_TRUNK, "joined": 8, "head": 8}
TINY = {"widths": [8, 8], "blocks": [1, 1], "dropout": 0.2}


def parameters_of(network: Any) -> int:
    return sum(int(np.prod(shape)) for shape in shapes_of(network).values())


def pictures(side: int, count: int = 4, seed: int = 0) -> Any:
    return np.random.default_rng(seed).integers(0, 256, (count, side, side, 3), np.uint8)


@pytest.fixture(scope="module")
def strong() -> Any:
    return build_network("residual", residual.PARAMETERS, LABELS_17, (96, 96))


def test_strong_network_has_under_three_million_parameters(strong: Any) -> None:
    assert 2_000_000 < parameters_of(strong) < 3_000_000


def test_residual_network_takes_pictures_of_the_sides_that_training_grows_through(
    strong: Any,
) -> None:
    for side in (64, 80, 96):
        logits = np.asarray(strong(pictures(side, 2)))
        assert logits.shape == (2, 17)
        assert np.isfinite(logits).all()


def test_residual_network_starts_as_its_shortcuts() -> None:
    network = build_network("residual", TINY, LABELS_17, (64, 64))
    # the last normalisation of each block is scaled by zero at first
    found = weights_of(network)
    assert not found["stage_1_block_1_conv_2_norm/gamma"].any()
    assert (found["stage_1_block_1_conv_1_norm/gamma"] == 1).all()


def test_baseline_has_the_tasks_layers() -> None:
    network = build_network("baseline", baseline.PARAMETERS, LABELS_17[:10], (64, 64))
    # of 64 pixels 31, 14, 6 and 2 are left, so that 2 x 2 x 128 numbers come to the dense layer
    assert shapes_of(network) == {
        "conv_1/kernel": (3, 3, 3, 32),
        "conv_1/bias": (32,),
        "conv_2/kernel": (3, 3, 32, 64),
        "conv_2/bias": (64,),
        "conv_3/kernel": (3, 3, 64, 128),
        "conv_3/bias": (128,),
        "conv_4/kernel": (3, 3, 128, 128),
        "conv_4/bias": (128,),
        "dense/kernel": (512, 64),
        "dense/bias": (64,),
        "logits/kernel": (64, 10),
        "logits/bias": (10,),
    }
    # LeCun, Bottou, Orr and Mueller 1998: uniform within sqrt(3 / inputs)
    kernel = weights_of(network)["dense/kernel"]
    assert np.abs(kernel).max() == pytest.approx(np.sqrt(3 / 512), rel=0.01)


@pytest.mark.parametrize(
    ("name", "parameters"),
    [("baseline", {"filters": [4, 4], "dense": 8}), ("residual", TINY)],
)
def test_seed_decides_the_initial_weights(name: str, parameters: dict[str, Any]) -> None:
    first, again, other = (
        weights_of(build_network(name, parameters, LABELS_17, (64, 64), seed=seed))
        for seed in (3, 3, 4)
    )
    assert list(first) == list(again)
    assert all(np.array_equal(first[path], again[path]) for path in first)
    kernels = [path for path in first if path.endswith("kernel")]
    assert not any(np.array_equal(first[path], other[path]) for path in kernels)
    # no two layers of one shape begin alike
    flat = [first[path].tobytes() for path in kernels]
    assert len(set(flat)) == len(flat)


@pytest.mark.parametrize(
    ("change", "message"),
    [
        ({"widths": [8, 2000]}, "widths is .8, 2000.; give a list of 1 to 5 whole numbers"),
        ({"widths": [8, 0]}, "from 1 to 1024"),
        ({"widths": [8] * 6, "blocks": [1] * 6}, "1 to 5 whole numbers"),
        ({"widths": [8, 8.0]}, "widths"),
        ({"widths": [8, True]}, "widths"),
        ({"widths": "88"}, "widths"),
        ({"widths": []}, "widths"),
        ({"blocks": [1, 9]}, "blocks is .1, 9.; .* from 1 to 8"),
        ({"blocks": [1]}, "2 widths and 1 blocks; give the same number of both"),
        ({"dropout": 1.0}, "dropout is 1.0; give 0 to below 1"),
        ({"dropout": float("nan")}, "dropout"),
        ({"dropout": "0.2"}, "dropout"),
        ({"more": 1}, "give exactly .'blocks', 'dropout', 'widths'."),
    ],
)
def test_parameter_out_of_bounds_is_one_line_that_names_it(
    change: dict[str, Any], message: str
) -> None:
    with pytest.raises(ModelError, match=message) as caught:
        build_network("residual", {**TINY, **change}, LABELS_17, (64, 64))
    assert "\n" not in str(caught.value)


@pytest.mark.parametrize(
    ("name", "parameters"),
    [
        ("baseline", {"filters": [1024], "dense": 1024}),
        ("residual", {"widths": [1024] * 5, "blocks": [8] * 5, "dropout": 0}),
        ("dense", {"widths": [1024] * 5, "blocks": [8] * 5, "joined": 1024, "head": 1024}),
    ],
)
def test_network_of_more_weights_than_a_file_holds_is_refused_before_it_is_built(
    name: str, parameters: dict[str, Any]
) -> None:
    with pytest.raises(ModelError, match=rf"network {name}: \d+ weights; make it smaller"):
        build_network(name, parameters, LABELS_17, (64, 64))


def test_weights_that_are_counted_beforehand_are_nearly_all(strong: Any) -> None:
    shape = residual.checked_shape("residual", [8, 12, 20], [2, 1, 3])
    parameters = {"widths": shape.widths, "blocks": shape.blocks, "dropout": 0}
    built = shapes_of(build_network("residual", parameters, LABELS_17, (64, 64)))
    assert shape.weights == sum(int(np.prod(s)) for s in built.values() if s[:2] == (3, 3))
    widths, blocks = residual.PARAMETERS["widths"], residual.PARAMETERS["blocks"]
    counted = residual.checked_shape("residual", widths, blocks).weights
    assert 0.95 * parameters_of(strong) < counted < parameters_of(strong)


def test_network_takes_over_each_shared_label_wherever_it_stands(tmp_path: Path) -> None:
    version = write_model_by_lot(tmp_path)
    manifest = version.manifest
    labels = ["grape", LABELS[3], LABELS[0]]
    new = build_network(manifest.network, manifest.network_parameters, labels, (64, 64), seed=1)
    before, theirs = weights_of(new), weights_of(network_of(version))
    take_over(new, labels, version)
    for name, values in weights_of(new).items():
        if name.startswith("logits/"):
            assert (values[..., 0] == before[name][..., 0]).all()  # nobody knew it
            assert (values[..., 1] == theirs[name][..., 3]).all()
            assert (values[..., 2] == theirs[name][..., 0]).all()
        else:
            assert (values == theirs[name]).all()
            assert name.endswith("bias") or (values != before[name]).any()


def test_dense_network_answers_for_places_of_16_pixels_and_takes_nobody_for_granted() -> None:
    network = build_network("dense", dense.PARAMETERS, LABELS_17, (192, 256))
    assert 2_950_000 < parameters_of(network) < 3_050_000
    answers = np.asarray(network(np.zeros((1, 192, 256, 3), np.uint8)))
    assert answers.shape == (1, 12, 16, 17 + 4)
    # at first each label is at each place with 1.8 %, and every edge a stride away
    likely = 1 / (1 + np.exp(-answers[..., :17]))
    assert (np.abs(likely - 0.018) < 0.01).all()
    assert np.abs(answers[..., 17:]).max() < 0.5


@pytest.mark.parametrize(
    ("change", "message"),
    [
        ({"joined": 0}, "joined is 0; give 1 to 1024"),
        ({"head": 2000}, "head is 2000; give 1 to 1024"),
        ({"head": True}, "head is True"),
        ({"widths": [8] * 4, "blocks": [1] * 4}, "not of 5 stages"),
        ({"widths": [8] * 5, "blocks": [1] * 4}, "5 widths and 4 blocks"),
        ({"dropout": 0.2}, "give exactly .'blocks', 'head', 'joined', 'widths'."),
    ],
)
def test_parameter_of_a_dense_network_out_of_bounds_is_one_line_that_names_it(
    change: dict[str, Any], message: str
) -> None:
    with pytest.raises(ModelError, match=f"network dense.*{message}") as caught:
        build_network("dense", {**TINY_DENSE, **change}, LABELS_17, (64, 64))
    assert "\n" not in str(caught.value)


def test_dense_network_takes_the_trunk_of_a_residual_version_and_nothing_else(
    tmp_path: Path,
) -> None:
    parameters = {**TINY_TRUNK, "dropout": 0.2}
    theirs = build_network("residual", parameters, LABELS, (64, 64), seed=3)
    manifest = manifest_by_lot(network="residual", network_parameters=parameters)
    # halves and quarters, so that 16 bits hold them
    weights = {
        name: (np.round(values * 4) / 4).astype(np.float32)
        for name, values in weights_of(theirs).items()
    }
    version = write_model_version(tmp_path / "residual-1", manifest, weights)
    network = build_network("dense", TINY_DENSE, LABELS, (192, 256), seed=5)
    before = weights_of(network)
    take_over(network, LABELS, version)
    found = weights_of(network)
    head = {"near", "near_norm", "far", "far_norm", "head", "head_norm", "logits", "edges"}
    taken = {name for name in found if name.partition("/")[0] not in head}
    assert taken == {name for name in weights if not name.startswith("logits/")}
    for name, values in found.items():
        np.testing.assert_array_equal(values, weights[name] if name in taken else before[name])


def test_dense_network_takes_over_each_shared_label_and_the_edges(tmp_path: Path) -> None:
    theirs = build_network("dense", TINY_DENSE, LABELS, (192, 256), seed=3)
    manifest = manifest_by_lot(
        network="dense",
        network_parameters=TINY_DENSE,
        preprocessing="fit256x192",
        regions=("full",),
    )
    version = write_model_version(tmp_path / "dense-1", manifest, weights_of(theirs))
    kept = weights_of(network_of(version))
    labels = ["grape", LABELS[3], LABELS[0]]
    network = build_network("dense", TINY_DENSE, labels, (192, 256), seed=1)
    before = weights_of(network)
    take_over(network, labels, version)
    found = weights_of(network)
    for name in ("logits/kernel", "logits/bias"):
        np.testing.assert_array_equal(found[name][..., 0], before[name][..., 0])
        np.testing.assert_array_equal(found[name][..., 1:], kept[name][..., [3, 0]])
    np.testing.assert_array_equal(found["edges/kernel"], kept["edges/kernel"])


def test_what_is_added_to_logits_is_added_at_every_place_and_to_no_edge() -> None:
    network = build_network("dense", TINY_DENSE, LABELS, (64, 96), seed=1)
    seen = np.random.default_rng(0).integers(0, 256, (2, 64, 96, 3), np.uint8)
    before, weights = np.asarray(network(seen)), weights_of(network)
    add_to_logits(network, 1.3)
    after = np.asarray(network(seen))
    # near -2.7 sixteen bits hold steps of a five-hundredth
    np.testing.assert_allclose(
        after[..., : len(LABELS)], before[..., : len(LABELS)] + 1.3, atol=2e-3
    )
    np.testing.assert_array_equal(after[..., len(LABELS) :], before[..., len(LABELS) :])
    bias = weights_of(network)["logits/bias"]
    np.testing.assert_array_equal(bias, bias.astype(np.float16))
    assign_weights(network, weights)
    np.testing.assert_array_equal(np.asarray(network(seen)), before)
