"""Detect GPUs without TensorFlow: a process must choose one before it loads TensorFlow."""

from pathlib import Path

from model.inference.device import Device
from worker.settings import Settings

DRIVER = Path("/proc/driver/nvidia/gpus")
"""One folder for each GPU of NVIDIA's driver."""


def usable_gpus(settings: Settings, device: Device, driver: Path = DRIVER) -> tuple[str, ...]:
    """Return the GPUs to classify on, as values of CUDA_VISIBLE_DEVICES; none for the CPU."""
    if device == Device.CPU:
        return ()
    if settings.visible_gpus:
        return settings.visible_gpus
    count = len(list(driver.iterdir())) if driver.is_dir() else 0
    return tuple(str(number) for number in range(count))
