"""The device that a network computes on."""

from enum import StrEnum


class Device(StrEnum):
    """The devices that a user can choose."""

    AUTO = "auto"
    """A GPU if there is one and the packages for it, otherwise the CPU."""
    CPU = "cpu"
    GPU = "gpu"
