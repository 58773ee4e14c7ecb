"""Finding the batch size that a device does best with."""

import pytest

from model.errors import DeviceError
from model.inference.batch_size import largest_worthwhile

RATES = {48: 1000.0, 96: 1500.0, 192: 1700.0, 384: 1780.0, 768: 4000.0}
"""Made pictures/s: the first three doublings gain 50 %, 13 % and 4.7 %."""


def test_a_batch_doubles_until_that_gains_less_than_five_percent() -> None:
    tried: list[int] = []

    def rate(size: int) -> float:
        tried.append(size)
        return RATES[size]

    assert largest_worthwhile(rate, first=48) == 192
    assert tried == [48, 96, 192, 384], "what comes after the first poor gain is not tried"


def test_a_batch_that_does_not_fit_into_memory_is_one_too_many() -> None:
    def rate(size: int) -> float:
        if size > 96:
            raise DeviceError("out of memory")
        return RATES[size]

    assert largest_worthwhile(rate, first=48) == 96


def test_a_device_that_cannot_take_the_first_batch_says_so() -> None:
    def rate(_size: int) -> float:
        raise DeviceError("out of memory")

    with pytest.raises(DeviceError):
        largest_worthwhile(rate, first=48)


def test_no_batch_is_tried_beyond_the_largest() -> None:
    assert largest_worthwhile(float, first=48, most=200) == 192
