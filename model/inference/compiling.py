"""Networks compiled for CPUs, and kept where the next process finds them.

Compiling takes TensorFlow, computing does not: so a network is compiled when its version is made or
imported, and kept beside it (`ModelVersion.compiled_path`); the bundled ones come compiled. One
that was never compiled is so when it is first used, and kept in the user's cache.

In 8 bits a network is about three times as fast as in 32 (`bench/forward_pass.py`): its weights are
rounded per channel when it is compiled, what flows between its layers per picture while it computes
(Jacob et al., Quantization and Training of Neural Networks for Efficient Integer-Arithmetic-Only
Inference, 2018). Whether a model version may be computed so was found out with its validation
stills when it was trained, and stands in its manifest.
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
_REFUSED: Final = 3  # exit code of a child that says in its last line what is wrong
_KEPT: Final = 32  # in the cache; of the bundled network's size they take 100 MB


def compile_network(network: Any, *, int8: bool) -> bytes:
    """Compile a Keras network for `CpuForwardPass` (some seconds).

    Args:
        network: from (batch, side, side, 3) uint8 to (batch, labels) logits.
        int8: to compute with weights and activations of 8 bits, else of 32.
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
        ArtifactError: the weights are damaged or do not fit.
        ModelError: the manifest's network is unknown or its parameters are not allowed.
    """
    return compile_network(network_of(version), int8=version.manifest.int8)


def compiled(version: ModelVersion) -> bytes:
    """Return a model version's network, compiled as its manifest says: now, or once before.

    Raises:
        ArtifactError: the weights are damaged.
        MissingExtraError: it was never compiled here, and cannot be.
        ModelError: the weights do not fit, or the manifest's network is unknown or its parameters
            are not allowed.
    """
    check_weights(version)  # whoever brings a damaged model version hears of it each time
    return _kept(version.compiled_path) or _cached(version)


def compiled_here(version: ModelVersion) -> bytes:
    """Return the same without looking beside the version's folder, which may be anybody's.

    Raises:
        ArtifactError, MissingExtraError, ModelError: as `compiled`.
    """
    check_weights(version)
    return _cached(version)


def _cached(version: ModelVersion) -> bytes:
    """Return what the user's cache keeps of a version, compiled now where it keeps nothing."""
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
    """Keep a compiled network beside the folder of its model version, for good.

    Where it cannot be kept, it is compiled when it is used.
    """
    with contextlib.suppress(OSError):
        _keep(version.compiled_path, content)


def _kept(path: Path) -> bytes | None:
    """Return what was kept, unless it is damaged or not there."""
    try:
        kept = path.read_bytes()
    except OSError:
        return None
    digest, content = kept[:_DIGEST_BYTES], kept[_DIGEST_BYTES:]
    return content if hashlib.sha256(content).digest() == digest else None


def _compile_in_child(version: ModelVersion) -> bytes:
    """Compile in a process of its own, whose 820 MB are given back when it ends."""
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
    """Compile the model version whose folder and SHA-256 are given, to stdout.

    It ends early where stdin does.
    """
    threading.Thread(target=_end_with_stdin, daemon=True).start()
    with os.fdopen(os.dup(1), "wb") as output:
        os.dup2(2, 1)  # what a library prints is not part of the network
        try:
            folder, sha256 = Path(sys.argv[1]), sys.argv[2]
            version = read_model_version(folder)
            if version.sha256 != sha256:  # else this network would be kept as another's
                raise ArtifactError(f"{folder}: changed while it was read; try again")
            load_tensorflow()
            output.write(compile_version(version))
        except ModelError as error:
            print(error, file=sys.stderr)
            return _REFUSED
    return 0


def _end_with_stdin() -> None:
    sys.stdin.read()
    os._exit(1)  # whoever wanted the network is gone, and TensorFlow's import hears of nothing


if __name__ == "__main__":
    sys.exit(main())
