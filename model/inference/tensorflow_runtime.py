"""Load Keras and TensorFlow quietly, and choose the device.

Importing this module imports nothing heavy: TensorFlow is imported by the first call.
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
"""TensorFlow's name of the CPU."""

_GPU_DRIVERS: Final = ("/dev/nvidiactl", "/dev/dxg", "/dev/kfd")  # NVIDIA, under Windows, AMD

_NOT_FOR_INFERENCE: Final = ("sklearn", "matplotlib")
# Keras imports both if it finds them, for wrappers and plots that are not used here: a third of the
# start-up time and 75 MB (measured: 9.0 s and 659 MB with them, 6.3 s and 586 MB without).


def load_tensorflow(purpose: str = "computing with TensorFlow") -> Any:
    """Return the TensorFlow module, imported at the first call (some seconds, about 590 MB).

    Args:
        purpose: Why it is loaded, for the error of `require_train_extra`.

    Raises:
        MissingExtraError: TensorFlow is not installed.
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
    """Return Keras with the backend that it was imported with, or else with TensorFlow."""
    if "keras" not in sys.modules:
        load_tensorflow()
    return importlib.import_module("keras")


def out_of_memory_error() -> type[Exception]:
    """Return TensorFlow's error for a lack of memory, or MemoryError for other backends."""
    if load_keras().backend.backend() != "tensorflow":
        return MemoryError
    error: type[Exception] = load_tensorflow().errors.ResourceExhaustedError
    return error


def choose_device(device: Device) -> str:
    """Return TensorFlow's name of the device to compute on.

    GPU memory is allocated as needed, not all in advance.

    Args:
        device: `cpu`, `gpu`, or `auto` for a GPU if there is one and the packages for it.

    Raises:
        DeviceError: A GPU was asked for and there is none.
    """
    if device == Device.CPU or (
        device == Device.AUTO and not (_has_gpu_driver() and has_train_extra())
    ):
        return CPU
    if not has_train_extra():
        raise DeviceError("device gpu needs more; install castline[gpu], or use cpu or auto")
    tensorflow = load_tensorflow()
    gpus = tensorflow.config.list_physical_devices("GPU")
    for gpu in gpus:
        if not tensorflow.config.experimental.get_memory_growth(gpu):
            tensorflow.config.experimental.set_memory_growth(gpu, True)
    if device == Device.GPU and not gpus:
        raise DeviceError(
            "device gpu: TensorFlow sees no GPU here; install castline[gpu] and a driver, "
            "or use cpu or auto"
        )
    return "/GPU:0" if gpus else CPU


def device_name(device: Device) -> str:
    """Return the maker's name of the chosen device, or `CPU` and its number of cores.

    Raises:
        DeviceError: As `choose_device`.
    """
    place = choose_device(device)
    if place == CPU:
        return f"CPU with {os.cpu_count()} cores"
    experimental = load_tensorflow().config.experimental
    [gpu, *_] = load_tensorflow().config.list_physical_devices("GPU")
    return str(experimental.get_device_details(gpu).get("device_name", "GPU"))


def describe_devices() -> str:
    """Return TensorFlow's version and the number of GPUs in one line."""
    tensorflow = load_tensorflow()
    gpus = tensorflow.config.list_physical_devices("GPU")
    return f"TensorFlow {tensorflow.__version__}, {len(gpus)} GPU" + ("s" if len(gpus) != 1 else "")


def _has_gpu_driver() -> bool:
    """Tell whether asking TensorFlow for a GPU is worth the seconds."""
    return sys.platform != "linux" or any(Path(path).exists() for path in _GPU_DRIVERS)


@contextmanager
def bfloat16_arithmetic(wanted: bool) -> Iterator[None]:
    """Build and compile networks inside with bfloat16 convolutions and products, if wanted.

    With TensorFlow, this has no effect on processors without bfloat16 instructions, which would
    only emulate them. `bench/training_steps.py` measures the speed-up on the others.
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
    """Make imports of these modules fail inside, unless they are already imported."""
    absent = [name for name in names if name not in sys.modules]
    sys.modules.update(dict.fromkeys(absent))  # type: ignore[arg-type]  # None: "not to be found"
    try:
        yield
    finally:
        for name in absent:
            del sys.modules[name]
