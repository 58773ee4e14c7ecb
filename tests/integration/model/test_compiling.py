"""Networks compiled for CPUs: as exact as they are said to be, compiled once, and kept."""

import os
import sys
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from numpy.typing import NDArray

from model import extras
from model.errors import ArtifactError, MissingExtraError, ModelError
from model.inference import compiling
from model.inference.compiling import (
    compile_network,
    compile_version,
    compiled,
    compiled_here,
    keep_compiled,
)
from model.inference.confidence import softmax
from model.inference.cpu_forward import CpuForwardPass
from model.inference.gpu_forward import GpuForwardPass
from model.inference.region_logits import whole_logits
from model.networks.named import NETWORKS, build_network, network_of, weights_of
from model.networks.residual import PARAMETERS as RESIDUAL
from model.pictures.preprocess import resize, shape_seen
from model.version.artifact import (
    COMPILED,
    ModelVersion,
    bundled_folder,
    models_in,
    write_model_version,
)
from model.version.region_views import RegionViews
from tests.stills.trained_shapes import SMALL, TrainedShapes

pytestmark = pytest.mark.integration

SIDE = 64
LABELS = ("one", "two", "three")
OF_NETWORK = {
    "baseline": SMALL,
    "dense": {"widths": [8] * 5, "blocks": [1] * 5, "joined": 8, "head": 8},
    "residual": {**RESIDUAL, "widths": [8, 16], "blocks": [1, 1]},
}


@pytest.fixture(scope="module")
def pictures() -> NDArray[np.uint8]:
    return np.random.default_rng(0).integers(0, 256, (7, SIDE, SIDE, 3), np.uint8)


@pytest.fixture(scope="module", params=sorted(NETWORKS))
def network(request: pytest.FixtureRequest) -> Any:
    return build_network(request.param, OF_NETWORK[request.param], LABELS, (SIDE, SIDE), seed=1)


@pytest.fixture(scope="module")
def contents(network: Any) -> dict[bool, bytes]:
    """The network compiled, by whether it is so in 8 bits."""
    return {int8: compile_network(network, int8=int8) for int8 in (False, True)}


def keras_logits(network: Any, pictures: NDArray[np.uint8]) -> NDArray[np.float32]:
    return np.asarray(network(pictures, training=False))


def test_compiled_in_32_bits_it_computes_what_keras_computes(
    network: Any, contents: dict[bool, bytes], pictures: NDArray[np.uint8]
) -> None:
    found = CpuForwardPass(contents[False], 4).logits(pictures)
    np.testing.assert_allclose(found, keras_logits(network, pictures), atol=1e-4)


def test_compiled_in_8_bits_it_is_nearly_that(
    network: Any, contents: dict[bool, bytes], pictures: NDArray[np.uint8]
) -> None:
    assert len(contents[True]) < len(contents[False])
    exact = keras_logits(network, pictures)
    difference = np.abs(CpuForwardPass(contents[True], 4).logits(pictures) - exact)
    assert 0 < difference.max() < 0.1 * np.abs(exact).max()


@pytest.mark.parametrize("int8", [False, True])
def test_batches_of_any_size_give_the_very_same_logits(
    network: Any, contents: dict[bool, bytes], pictures: NDArray[np.uint8], int8: bool
) -> None:
    content = contents[int8]
    one, three, all_of_them = (CpuForwardPass(content, size).logits(pictures) for size in (1, 3, 7))
    np.testing.assert_array_equal(one, three)
    np.testing.assert_array_equal(one, all_of_them)
    assert CpuForwardPass(content, 3).logits(pictures[:0]).shape == (0, *network.output_shape[1:])


def test_gpus_compute_what_keras_computes_and_compile_once(
    network: Any, pictures: NDArray[np.uint8]
) -> None:
    forward = GpuForwardPass(network, [(SIDE, SIDE)], 4, "/CPU:0")
    for count in (7, 1, 4, 2):
        found = forward.logits(pictures[:count])
        np.testing.assert_allclose(found, keras_logits(network, pictures)[:count], atol=1e-4)
    assert forward.compiled_signatures == 1


def test_on_either_device_a_glance_gives_what_each_look_alone_gives(
    pictures: NDArray[np.uint8],
) -> None:
    network = build_network("residual", OF_NETWORK["residual"], LABELS, (SIDE, SIDE), seed=1)
    glance = SIDE // 2
    small = np.stack([resize(picture, glance, glance) for picture in pictures])
    on_gpu = GpuForwardPass(network, [(SIDE, SIDE), (glance, glance)], 4, "/CPU:0")
    for forward in (CpuForwardPass(compile_network(network, int8=False), 4), on_gpu):
        first, full = forward.logits(small), forward.logits(pictures)
        likeliest = softmax(first)[:, :2].max(axis=1)
        clearness = np.maximum(likeliest, 1 - likeliest)
        clear = float(np.median(clearness))  # enough for half of them
        is_clear = clearness >= clear
        assert 0 < is_clear.sum() < len(pictures)
        views = RegionViews(glance_side=glance, glance_clear=clear)
        found = whole_logits(forward, pictures, ("one", "two", "unknown"), views)
        np.testing.assert_array_equal(found, np.where(is_clear[:, None], first, full))
    assert on_gpu.compiled_signatures == 2


def test_what_is_no_network_is_refused_in_one_line() -> None:
    for content in (b"", b"no network"):
        with pytest.raises(ModelError, match="not a compiled network") as caught:
            CpuForwardPass(content, 1)
        assert "\n" not in str(caught.value)


@pytest.fixture
def cache(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """Where compiled networks are kept."""
    monkeypatch.setattr(compiling, "user_cache_path", lambda name: tmp_path / "cache" / name)
    return tmp_path / "cache" / "castline" / "compiled"


@pytest.fixture
def compilations(monkeypatch: pytest.MonkeyPatch) -> list[bool]:
    """Whether each network that is compiled is so in 8 bits."""
    seen: list[bool] = []

    def counting(version: ModelVersion) -> bytes:
        seen.append(version.manifest.int8)
        return compile_version(version)

    monkeypatch.setattr(compiling, "_compile_in_child", counting)
    return seen


def variant(trained: ModelVersion, folder: Path, **changes: Any) -> ModelVersion:
    manifest = replace(trained.manifest, **changes)
    return write_model_version(folder / manifest.version, manifest, weights_of(network_of(trained)))


@pytest.fixture
def version(trained: TrainedShapes, tmp_path: Path) -> ModelVersion:
    """A model version that was never compiled."""
    return variant(trained.version, tmp_path, version="u")


@pytest.fixture
def is_light(monkeypatch: pytest.MonkeyPatch) -> None:
    """As where TensorFlow is not installed."""
    monkeypatch.setattr(extras, "find_spec", lambda _name: None)


def test_a_version_is_compiled_once_and_as_its_manifest_says(
    trained: TrainedShapes, tmp_path: Path, cache: Path, compilations: list[bool]
) -> None:
    for version, int8 in (("a", True), ("b", False)):
        made = variant(trained.version, tmp_path, version=version, int8=int8)
        assert compiled(made) == compiled(made)
    assert compilations == [True, False]
    assert len(list(cache.iterdir())) == 2


def test_what_a_child_process_compiles_is_what_this_one_does(
    version: ModelVersion, cache: Path
) -> None:
    forward = CpuForwardPass(compiled(version), 4)
    pictures = np.zeros((2, SIDE, SIDE, 3), np.uint8)
    pictures[1] = 200
    here = compile_version(version)
    np.testing.assert_array_equal(
        forward.logits(pictures), CpuForwardPass(here, 4).logits(pictures)
    )


def test_what_a_child_process_refuses_is_one_line(
    trained: TrainedShapes, tmp_path: Path, cache: Path
) -> None:
    spoilt = variant(trained.version, tmp_path, version="a", network="lambda")
    with pytest.raises(ModelError, match=r"network 'lambda' is unknown") as caught:
        compiled(spoilt)
    assert "\n" not in str(caught.value)
    assert not cache.exists()


def test_a_version_that_took_another_s_place_is_not_kept_as_that_one(
    trained: TrainedShapes, tmp_path: Path, cache: Path
) -> None:
    meant = variant(trained.version, tmp_path, version="a")
    other = variant(trained.version, tmp_path, version="b", int8=not meant.manifest.int8)
    (meant.folder / "manifest.json").write_bytes((other.folder / "manifest.json").read_bytes())
    with pytest.raises(ModelError, match="changed while it was read; try again"):
        compiled(meant)
    assert not cache.exists()


def test_a_child_process_that_fails_otherwise_is_one_line_with_a_remedy(
    trained: TrainedShapes, tmp_path: Path, cache: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    never_compiled = variant(trained.version, tmp_path, version="a")
    monkeypatch.setattr(sys, "executable", "/bin/false")
    with pytest.raises(ModelError, match=r"/a: .*\(exit code 1\); is there enough memory"):
        compiled(never_compiled)
    assert not cache.exists()


def test_a_damaged_file_is_compiled_anew(
    version: ModelVersion, cache: Path, compilations: list[bool]
) -> None:
    content = compiled(version)
    [path] = cache.iterdir()
    for damaged in (path.read_bytes()[:-1] + b"x", b""):
        path.write_bytes(damaged)
        assert compiled(version) == content
    assert len(compilations) == 3
    assert compiled(version) == content
    assert len(compilations) == 3


def test_where_nothing_can_be_kept_it_is_compiled_each_time(
    version: ModelVersion, cache: Path, compilations: list[bool]
) -> None:
    cache.parent.mkdir(parents=True)
    cache.write_text("in the way")
    assert compiled(version) == compiled(version)
    assert len(compilations) == 2


def test_those_used_longest_ago_go(
    trained: TrainedShapes, tmp_path: Path, cache: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(compiling, "_KEPT", 2)
    monkeypatch.setattr(compiling, "_compile_in_child", lambda _version: b"compiled")
    first, second, third = (variant(trained.version, tmp_path, version=v) for v in "abc")
    for hour, version in enumerate((first, second, first, third)):
        compiled(version)
        os.utime(cache / version.compiled_path.name, (3600 * hour, 3600 * hour))
    kept = {path.name for path in cache.iterdir()}
    assert kept == {first.compiled_path.name, third.compiled_path.name}


def test_damaged_weights_are_refused_though_the_network_was_kept(
    trained: TrainedShapes, tmp_path: Path, cache: Path, compilations: list[bool]
) -> None:
    made = variant(trained.version, tmp_path, version="a")
    compiled(made)
    assert len(compilations) == 1
    made.weights_path.write_bytes(b"not the weights")
    with pytest.raises(ArtifactError, match="not the weights"):
        compiled(made)


def test_what_was_trained_is_compiled_and_needs_no_tensorflow(
    trained: TrainedShapes, cache: Path, is_light: None
) -> None:
    assert compiled(trained.version) == compile_version(trained.version)
    assert not cache.exists()


def test_what_is_kept_beside_a_version_outlives_the_cache(
    version: ModelVersion, cache: Path, compilations: list[bool]
) -> None:
    keep_compiled(version, compiled(version))
    assert version.compiled_path.parent.parent == version.folder.parent
    [path] = cache.iterdir()
    path.unlink()
    compiled(version)
    assert len(compilations) == 1


def test_what_lies_beside_a_folder_from_elsewhere_is_not_taken(
    version: ModelVersion, cache: Path, compilations: list[bool]
) -> None:
    keep_compiled(version, b"somebody's")
    assert compiled(version) == b"somebody's"
    assert compiled_here(version) == compile_version(version)


def test_what_was_never_compiled_needs_the_extra_where_tensorflow_is_not_installed(
    version: ModelVersion, cache: Path, is_light: None
) -> None:
    with pytest.raises(MissingExtraError) as caught:
        compiled(version)
    assert str(caught.value) == "compiling shapes@u needs more; install castline[train]"


def test_each_bundled_version_comes_compiled_and_answers_as_its_weights_do(cache: Path) -> None:
    versions = models_in(bundled_folder())
    kept = {path.name for path in (bundled_folder() / COMPILED).iterdir()}
    again = "run: make compile-bundled"
    assert kept == {version.compiled_path.name for version in versions}, again
    for version in versions:
        shipped = CpuForwardPass(compiled(version), 4)
        assert not cache.exists(), again
        shape = shape_seen(version.manifest.preprocessing)
        pictures = np.random.default_rng(0).integers(0, 256, (4, *shape, 3), np.uint8)
        expected = CpuForwardPass(compile_version(version), 4).logits(pictures)
        np.testing.assert_allclose(shipped.logits(pictures), expected, atol=0.01, err_msg=again)
