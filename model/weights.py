"""The numbers of a model version: read with distrust, never anything that could run."""

import hashlib
from collections.abc import Mapping
from pathlib import Path
from typing import Final

import numpy as np
from numpy.typing import NDArray

from model.artifact import ModelVersion
from model.errors import ArtifactError
from model.safe_files import read_regular_file

MAX_WEIGHTS_BYTES: Final = 64 << 20
"""Of a weights file; the largest network planned, 3 M float32 parameters, has 12 MB."""


def read_weights(
    version: ModelVersion, shapes: Mapping[str, tuple[int, ...]]
) -> dict[str, NDArray[np.float32]]:
    """Read a model version's weights.

    Args:
        version: which.
        shapes: what the rebuilt network expects, by the weights' names.

    Returns:
        Arrays by name, with exactly these names and shapes.

    Raises:
        ArtifactError: the file is not the one that the manifest names, is no safetensors file, or
            holds other names, types or shapes, or a number that is not finite.
    """
    from safetensors import SafetensorError, deserialize

    path = version.weights_path
    content = read_regular_file(path, MAX_WEIGHTS_BYTES)
    if hashlib.sha256(content).hexdigest() != version.manifest.weights_sha256:
        raise ArtifactError(f"{path}: not the weights that the manifest names; fetch them again")
    try:
        tensors = dict(deserialize(content))  # type: ignore[no-untyped-call]
    except SafetensorError as error:
        raise ArtifactError(f"{path}: not a safetensors file ({error})") from error
    found = {name: (tensor["dtype"], tuple(tensor["shape"])) for name, tensor in tensors.items()}
    if found != {name: ("F32", shape) for name, shape in shapes.items()}:
        raise ArtifactError(f"{path}: weights do not fit network {version.manifest.network!r}")
    return {
        name: _finite(np.frombuffer(tensors[name]["data"], "<f4").reshape(shape), path, name)
        for name, shape in shapes.items()
    }


def _finite(array: NDArray[np.float32], path: Path, name: str) -> NDArray[np.float32]:
    if not np.isfinite(array).all():
        raise ArtifactError(f"{path}: {name} has numbers that are not finite; train again")
    return array
