"""Where a network computes."""

from enum import StrEnum


class Device(StrEnum):
    """The devices that can be asked for."""

    AUTO = "auto"
    """A GPU where there is one and what computes on it, or else the CPU."""
    CPU = "cpu"
    GPU = "gpu"
