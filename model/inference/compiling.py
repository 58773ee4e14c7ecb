"""Compile networks for CPUs, and keep them for later processes.

Compiling requires TensorFlow, inference does not. A network is therefore compiled when its version
is trained or imported, and kept beside the version (`ModelVersion.compiled_path`); bundled versions
come compiled. Any other version is compiled at its first use and kept in the user's cache.

With 8-bit integers a network is about three times as fast as with 32-bit floats
(`bench/forward_pass.py`): weights are quantised per channel at compile time, activations per
picture at run time (Jacob et al., Quantization and Training of Neural Networks for Efficient
Integer-Arithmetic-Only Inference, 2018). The manifest says whether a version may be quantised; its
training tested this on the validation stills.
"""

import contextlib
import hashlib
import os
import subprocess
import sys
import tempfile
import threading
from pathlib import Path
from typing import Any, Final

from platformdirs import user_cache_path

from model.errors import ArtifactError, ModelError
from model.extras import require_train_extra
from model.inference.tensorflow_runtime import load_tensorflow
from model.interpreter import python_command
from model.networks.named import network_of
from model.quiet import without_chatter
from model.version.artifact import ModelVersion, read_model_version
from model.version.weights import check_weights

_DIGEST_BYTES: Final = hashlib.sha256().digest_size
_REFUSED: Final = 3  # exit code of a child whose last line of output names the error
_KEPT: Final = 32  # files in the cache; with the bundled network's size they take 100 MB


def compile_network(network: Any, *, int8: bool) -> bytes:
    """Compile a Keras network for `CpuForwardPass` (takes some seconds).

    Args:
        network: Maps (batch, side, side, 3) uint8 to (batch, labels) logits.
        int8: Whether to compute with 8-bit weights and activations instead of 32-bit ones.
    """
    tensorflow = load_tensorflow()
    import keras

    pictures = keras.InputSpec(shape=(None, *network.input_shape[1:]), dtype="uint8")
    with tempfile.TemporaryDirectory(prefix="castline-") as folder, without_chatter():
        path = Path(folder) / "network.tflite"
        network.export(
            path,
            format="litert",
            verbose=False,
            input_signature=[pictures],
            optimizations=[tensorflow.lite.Optimize.DEFAULT] if int8 else [],
        )
        return path.read_bytes()


def compile_version(version: ModelVersion) -> bytes:
    """Compile a model version's network in this process, as its manifest says.

    Raises:
        ArtifactError: The weights are damaged or do not fit.
        ModelError: The manifest's network is unknown or its parameters are not allowed.
    """
    return compile_network(network_of(version), int8=version.manifest.int8)


def compiled(version: ModelVersion) -> bytes:
    """Return a model version's compiled network, and compile it if necessary.

    Raises:
        ArtifactError: The weights are damaged.
        MissingExtraError: The network was never compiled here, and cannot be without the extra.
        ModelError: The weights do not fit, or the manifest's network is unknown or its parameters
            are not allowed.
    """
    check_weights(version)  # damaged weights are an error even if the network was compiled before
    return _kept(version.compiled_path) or _cached(version)


def compiled_here(version: ModelVersion) -> bytes:
    """Return the compiled network without reading the untrusted place beside the version.

    Raises:
        ArtifactError, MissingExtraError, ModelError: As `compiled`.
    """
    check_weights(version)
    return _cached(version)


def _cached(version: ModelVersion) -> bytes:
    """Return the compiled network from the user's cache; compile it if it is not there."""
    path = user_cache_path("castline") / "compiled" / version.compiled_path.name
    content = _kept(path)
    if content is None:
        require_train_extra(f"compiling {version.manifest.reference}")
        content = _compile_in_child(version)
        with contextlib.suppress(OSError):  # a full or read-only disk only costs time
            _keep(path, content)
            _remove_unused(path.parent)
    with contextlib.suppress(OSError):
        path.touch()
    return content


def keep_compiled(version: ModelVersion, content: bytes) -> None:
    """Keep a compiled network permanently beside the folder of its model version.

    If it cannot be saved, the network is compiled at its first use.
    """
    with contextlib.suppress(OSError):
        _keep(version.compiled_path, content)


def _kept(path: Path) -> bytes | None:
    """Return the content of a kept file, or None if it is damaged or absent."""
    try:
        kept = path.read_bytes()
    except OSError:
        return None
    digest, content = kept[:_DIGEST_BYTES], kept[_DIGEST_BYTES:]
    return content if hashlib.sha256(content).digest() == digest else None


def _compile_in_child(version: ModelVersion) -> bytes:
    """Compile in a child process, so that its 820 MB are freed when it ends."""
    command = python_command("-m", "model.inference.compiling", str(version.folder), version.sha256)
    ends_with_us, held_open = os.pipe()
    try:
        child = subprocess.run(command, stdin=ends_with_us, capture_output=True, check=False)
    finally:
        os.close(ends_with_us)
        os.close(held_open)
    if child.returncode != 0:
        said = child.stderr.decode(errors="replace").strip().splitlines() or [
            f"exit code {child.returncode}"
        ]
        if child.returncode == _REFUSED:
            raise ModelError(said[-1])
        raise ModelError(
            f"{version.folder}: the process that compiles its network failed ({said[-1]}); "
            "is there enough memory?"
        )
    return child.stdout


def _keep(path: Path, content: bytes) -> None:
    path.parent.mkdir(parents=True, exist_ok=True)
    unfinished = path.with_suffix(f".{os.getpid()}")
    try:
        unfinished.write_bytes(hashlib.sha256(content).digest() + content)
        unfinished.replace(path)
    finally:
        unfinished.unlink(missing_ok=True)


def _remove_unused(cache: Path) -> None:
    by_use = sorted(cache.glob("*.network"), key=lambda one: one.stat().st_mtime)
    for unused in by_use[:-_KEPT]:
        unused.unlink(missing_ok=True)


def main() -> int:
    """Compile the model version with the folder and SHA-256 in the arguments, to stdout.

    The process ends early when its stdin is closed.
    """
    threading.Thread(target=_end_with_stdin, daemon=True).start()
    with os.fdopen(os.dup(1), "wb") as output:
        os.dup2(2, 1)  # keep the output of libraries out of the network
        try:
            folder, sha256 = Path(sys.argv[1]), sys.argv[2]
            version = read_model_version(folder)
            if version.sha256 != sha256:  # else this network would be kept for another version
                raise ArtifactError(f"{folder}: changed while it was read; try again")
            load_tensorflow()
            output.write(compile_version(version))
        except ModelError as error:
            print(error, file=sys.stderr)
            return _REFUSED
    return 0


def _end_with_stdin() -> None:
    sys.stdin.read()
    os._exit(1)  # the parent is gone, and TensorFlow's import cannot be interrupted


if __name__ == "__main__":
    sys.exit(main())
