"""Which GPUs there are, without asking TensorFlow: a process must choose before it loads it."""

from pathlib import Path

from model.inference.device import Device
from worker.settings import Settings

DRIVER = Path("/proc/driver/nvidia/gpus")
"""One folder for each GPU that NVIDIA's driver drives."""


def usable_gpus(settings: Settings, device: Device, driver: Path = DRIVER) -> tuple[str, ...]:
    """The GPUs to classify on, as CUDA_VISIBLE_DEVICES names them; none for the CPU."""
    if device is Device.CPU:
        return ()
    if settings.visible_gpus:
        return settings.visible_gpus
    count = len(list(driver.iterdir())) if driver.is_dir() else 0
    return tuple(str(number) for number in range(count))
