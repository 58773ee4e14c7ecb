"""The weights of a model version: validated when read, and never executable.

They are stored in 16 bits, which halves the file. Rounding changes a weight by a 2000th at most; a
network is tested with rounded weights, so that its metrics describe the file.
"""

from collections.abc import Mapping
from pathlib import Path
from typing import Final

import numpy as np
from numpy.typing import NDArray

from model.errors import ArtifactError, ModelError, TrainingError
from model.version.artifact import WEIGHTS_DTYPE, ModelVersion
from model.version.safe_files import read_checked_file

MAX_WEIGHTS_BYTES: Final = 64 << 20
"""Largest file of weights; the largest network planned, with 3 M parameters, has 6 MB."""


MOST_WEIGHTS: Final = MAX_WEIGHTS_BYTES // WEIGHTS_DTYPE.itemsize
"""The most weights that such a file can hold."""


def check_number(network: str, weights: int) -> None:
    """Refuse to build a network with more weights than a file holds.

    A short manifest could otherwise ask for all the memory of the machine.

    Args:
        network: Name of the network.
        weights: Least number of its weights.

    Raises:
        ModelError: The network has too many weights.
    """
    if weights > MOST_WEIGHTS:
        raise ModelError(
            f"network {network}: {weights} weights; make it smaller, with {MOST_WEIGHTS} at most"
        )


def read_weights(
    version: ModelVersion, shapes: Mapping[str, tuple[int, ...]]
) -> dict[str, NDArray[np.float32]]:
    """Read a model version's weights.

    Args:
        version: The model version.
        shapes: The shapes that the network expects, by the weights' names.

    Returns:
        Arrays by name, with exactly these names and shapes.

    Raises:
        ArtifactError: The file is not the one that the manifest names, is not a safetensors file,
            or holds other names, types or shapes, or a number that is not finite.
    """
    from safetensors import SafetensorError, deserialize

    path = version.weights_path
    content = check_weights(version)
    try:
        tensors = dict(deserialize(content))  # type: ignore[no-untyped-call]
    except SafetensorError as error:
        raise ArtifactError(f"{path}: not a safetensors file ({error})") from error
    found = {name: (tensor["dtype"], tuple(tensor["shape"])) for name, tensor in tensors.items()}
    if found != {name: ("F16", shape) for name, shape in shapes.items()}:
        raise ArtifactError(f"{path}: weights do not fit network {version.manifest.network!r}")
    return {
        name: _finite(
            np.frombuffer(tensors[name]["data"], WEIGHTS_DTYPE).reshape(shape), path, name
        )
        for name, shape in shapes.items()
    }


def check_weights(version: ModelVersion) -> bytes:
    """Return the content of a model version's weights file.

    Raises:
        ArtifactError: The file is not the one that the manifest names.
    """
    sha256 = version.manifest.weights_sha256
    return read_checked_file(version.weights_path, MAX_WEIGHTS_BYTES, sha256, "weights")


def rounded(weights: Mapping[str, NDArray[np.float32]]) -> dict[str, NDArray[np.float32]]:
    """Return weights rounded as by writing and reading them.

    Raises:
        TrainingError: A weight is not finite, or too large for 16 bits.
    """
    with np.errstate(over="ignore"):  # an overflow is refused below
        kept = {name: array.astype(WEIGHTS_DTYPE) for name, array in weights.items()}
    for name, array in kept.items():
        if not np.isfinite(array).all():
            raise TrainingError(
                f"{name}: a weight does not fit 16 bits: the training diverged; "
                "give another --seed, a larger --batch-size or another --recipe"
            )
    return {name: array.astype(np.float32) for name, array in kept.items()}


def _finite(array: NDArray[np.float16], path: Path, name: str) -> NDArray[np.float32]:
    if not np.isfinite(array).all():
        raise ArtifactError(f"{path}: {name} has numbers that are not finite; train again")
    return array.astype(np.float32)
