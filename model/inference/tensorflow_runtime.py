"""Keras and TensorFlow brought in quietly, and the device that they compute on.

Importing this module imports nothing heavy: TensorFlow comes with the first call.
"""

import importlib
import os
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any, Final

from model.errors import DeviceError
from model.extras import has_train_extra, require_train_extra
from model.inference.device import Device
from model.quiet import without_chatter

CPU: Final = "/CPU:0"
"""What TensorFlow calls the CPU."""

_GPU_DRIVERS: Final = ("/dev/nvidiactl", "/dev/dxg", "/dev/kfd")  # NVIDIA, under Windows, AMD

_NOT_FOR_INFERENCE: Final = ("sklearn", "matplotlib")
# Keras imports both if it finds them, for wrappers and plots that are not used here: a third of
# the start-up time and 75 MB (measured: 9.0 s and 659 MB with them, 6.3 s and 586 MB without).


def load_tensorflow(purpose: str = "computing with TensorFlow") -> Any:
    """Return the TensorFlow module, imported at the first call (some seconds, about 590 MB).

    Args:
        purpose: what it is loaded for, as `require_train_extra` takes it.

    Raises:
        MissingExtraError: it is not installed.
    """
    if sys.modules.get("tensorflow") is None:
        require_train_extra(purpose)
        os.environ["TF_CPP_MIN_LOG_LEVEL"] = "2"  # errors only: no information, no warnings
        os.environ["KERAS_BACKEND"] = "tensorflow"
        with without_chatter(), _without_modules(_NOT_FOR_INFERENCE):
            tensorflow = importlib.import_module("tensorflow")
            tensorflow.config.list_physical_devices()  # the search for a GPU is chatty too
    return sys.modules["tensorflow"]


def load_keras() -> Any:
    """Return Keras: on the backend that it was imported with, or else on TensorFlow."""
    if "keras" not in sys.modules:
        load_tensorflow()
    return importlib.import_module("keras")


def out_of_memory_error() -> type[Exception]:
    """Return what TensorFlow raises when memory runs out, or a MemoryError on other backends."""
    if load_keras().backend.backend() != "tensorflow":
        return MemoryError
    error: type[Exception] = load_tensorflow().errors.ResourceExhaustedError
    return error


def choose_device(device: Device) -> str:
    """Return TensorFlow's name of the device to compute on.

    A GPU's memory is taken as it is needed, never all at once.

    Args:
        device: `cpu`, `gpu`, or `auto` for a GPU where there is one and what computes on it.

    Raises:
        DeviceError: a GPU was asked for and there is none.
    """
    if device is Device.CPU or (
        device is Device.AUTO and not (_has_gpu_driver() and has_train_extra())
    ):
        return CPU
    if not has_train_extra():
        raise DeviceError("device gpu needs more; install castline[gpu], or use cpu or auto")
    tensorflow = load_tensorflow()
    gpus = tensorflow.config.list_physical_devices("GPU")
    for gpu in gpus:
        if not tensorflow.config.experimental.get_memory_growth(gpu):
            tensorflow.config.experimental.set_memory_growth(gpu, True)
    if device is Device.GPU and not gpus:
        raise DeviceError(
            "device gpu: TensorFlow sees no GPU here; install castline[gpu] and a driver, "
            "or use cpu or auto"
        )
    return "/GPU:0" if gpus else CPU


def device_name(device: Device) -> str:
    """Return what the chosen device is called by its maker, or `CPU` and its number of cores.

    Raises:
        DeviceError: as `choose_device`.
    """
    place = choose_device(device)
    if place == CPU:
        return f"CPU with {os.cpu_count()} cores"
    experimental = load_tensorflow().config.experimental
    [gpu, *_] = load_tensorflow().config.list_physical_devices("GPU")
    return str(experimental.get_device_details(gpu).get("device_name", "GPU"))


def describe_devices() -> str:
    """Return TensorFlow's version and what it can compute on, in one line."""
    tensorflow = load_tensorflow()
    gpus = tensorflow.config.list_physical_devices("GPU")
    return f"TensorFlow {tensorflow.__version__}, {len(gpus)} GPU" + ("s" if len(gpus) != 1 else "")


def _has_gpu_driver() -> bool:
    """Whether it is worth the seconds to ask TensorFlow for a GPU."""
    return sys.platform != "linux" or any(Path(path).exists() for path in _GPU_DRIVERS)


@contextmanager
def bfloat16_arithmetic(wanted: bool) -> Iterator[None]:
    """Let what is built and compiled inside convolve and multiply in bfloat16, if that is wanted.

    With TensorFlow, nothing changes on processors without instructions for it, which would only
    imitate it. How much faster the others learn, `bench/training_steps.py` measures.
    """
    keras = load_keras()
    if wanted and keras.backend.backend() != "tensorflow":
        policy = keras.config.dtype_policy()
        keras.config.set_dtype_policy("mixed_bfloat16")
        try:
            yield
        finally:
            keras.config.set_dtype_policy(policy)
        return
    if not (wanted and _has_bfloat16_instructions()):
        yield
        return
    options = load_tensorflow().config.optimizer
    options.set_experimental_options({"auto_mixed_precision_onednn_bfloat16": True})
    try:
        yield
    finally:
        options.set_experimental_options({"auto_mixed_precision_onednn_bfloat16": False})


def _has_bfloat16_instructions() -> bool:
    processors = Path("/proc/cpuinfo")
    flags = set(processors.read_text().split()) if processors.exists() else set()
    return not flags.isdisjoint(("avx512_bf16", "amx_bf16"))


@contextmanager
def _without_modules(names: tuple[str, ...]) -> Iterator[None]:
    """Let imports of these modules fail inside, unless they are here already."""
    absent = [name for name in names if name not in sys.modules]
    sys.modules.update(dict.fromkeys(absent))  # type: ignore[arg-type]  # None: "not to be found"
    try:
        yield
    finally:
        for name in absent:
            del sys.modules[name]
