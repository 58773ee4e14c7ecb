"""Examples that a dense version keeps, written and read with distrust."""

import hashlib
from collections.abc import Mapping
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from numpy.typing import NDArray

from model.adding.examples import Examples, check_examples, read_examples
from model.errors import ArtifactError
from model.version.artifact import ModelVersion, read_model_version, write_model_version
from tests.stills.models import manifest_by_lot

WEIGHTS: Mapping[str, NDArray[np.float32]] = {"logits/bias": np.zeros(3, np.float32)}
HEAD = 8


def version_with(folder: Path, content: bytes) -> ModelVersion:
    manifest = manifest_by_lot(
        network="dense",
        network_parameters={"head": HEAD},
        preprocessing="fit256x192",
        regions=("full",),
    )
    return write_model_version(folder / "m", manifest, WEIGHTS, examples=content)


def some_examples() -> Examples:
    made = np.random.default_rng(0).uniform(0, 5, (40, 3, HEAD)).astype(np.float32)
    made[..., 2] = 0  # a feature that is never there
    return Examples(made)


def test_examples_are_read_as_they_were_but_for_8_bits(tmp_path: Path) -> None:
    examples = some_examples()
    version = version_with(tmp_path, examples.to_bytes())
    assert version == read_model_version(version.folder)
    read = read_examples(version).features
    assert np.abs(read - examples.features).max() <= 5 / 255
    assert (read[..., 2] == 0).all()
    assert len(examples.to_bytes()) < 40 * 3 * HEAD + 300


def test_examples_are_part_of_what_a_version_is(tmp_path: Path) -> None:
    with_some = version_with(tmp_path / "a", some_examples().to_bytes())
    without = version_with(tmp_path / "b", b"")
    assert with_some.sha256 != without.sha256
    assert "examples_sha256" not in (without.folder / "manifest.json").read_text()


def test_other_examples_than_the_manifest_names_are_refused(tmp_path: Path) -> None:
    version = version_with(tmp_path, some_examples().to_bytes())
    version.examples_path.write_bytes(Examples(some_examples().features * 2).to_bytes())
    with pytest.raises(ArtifactError, match="not the examples that the manifest names"):
        check_examples(version)


def test_folder_without_named_examples_or_with_unnamed_ones_is_refused(tmp_path: Path) -> None:
    gone = version_with(tmp_path / "a", some_examples().to_bytes())
    gone.examples_path.unlink()
    with pytest.raises(ArtifactError, match=r"the manifest names examples\.safetensors"):
        read_model_version(gone.folder)
    more = version_with(tmp_path / "b", b"")
    more.examples_path.write_bytes(some_examples().to_bytes())
    with pytest.raises(ArtifactError, match="the manifest does not name"):
        read_model_version(more.folder)


BAD: list[dict[str, NDArray[Any]]] = [
    {"features": np.zeros((4, 3, HEAD), np.uint8)},
    {"features": np.zeros((4, 3, HEAD + 1), np.uint8), "largest": np.ones(HEAD + 1, np.float16)},
    {"features": np.zeros((4, 3, HEAD), np.uint8), "largest": np.ones(HEAD + 1, np.float16)},
    {"features": np.zeros((4, 2, HEAD), np.uint8), "largest": np.ones(HEAD, np.float16)},
    {"features": np.zeros((0, 3, HEAD), np.uint8), "largest": np.ones(HEAD, np.float16)},
    {"features": np.zeros((4, 3, HEAD), np.float16), "largest": np.ones(HEAD, np.float16)},
    {"features": np.zeros((4, 3, HEAD), np.uint8), "largest": np.full(HEAD, np.inf, np.float16)},
    {"features": np.zeros((4, 3, HEAD), np.uint8), "largest": -np.ones(HEAD, np.float16)},
]


@pytest.mark.parametrize("tensors", BAD)
def test_examples_of_another_form_are_refused(
    tensors: dict[str, NDArray[Any]], tmp_path: Path
) -> None:
    from safetensors.numpy import save

    with pytest.raises(ArtifactError, match=r"do not fit network|not finite"):
        read_examples(version_with(tmp_path, save(tensors)))


def test_what_is_no_safetensors_file_is_refused(tmp_path: Path) -> None:
    content = b"no such thing"
    version = version_with(tmp_path, content)
    assert version.manifest.examples_sha256 == hashlib.sha256(content).hexdigest()
    with pytest.raises(ArtifactError, match="not a safetensors file"):
        read_examples(version)


def test_manifest_of_another_network_names_no_examples() -> None:
    with pytest.raises(ArtifactError, match="examples_sha256"):
        replace(manifest_by_lot(), examples_sha256="0" * 64)
