"""Regions as the training set was cropped."""

import numpy as np
import pytest

from model.errors import ModelError
from model.pictures.regions import REGIONS, cut

# width of a picture -> first column and width of each region
BY_HAND = [
    (6, {"full": (0, 6), "left": (0, 3), "right": (3, 3)}),
    (7, {"full": (0, 7), "left": (0, 3), "right": (3, 4)}),
    (1, {"full": (0, 1), "left": (0, 1), "right": (0, 1)}),
]


@pytest.mark.parametrize(("width", "expected"), BY_HAND)
def test_regions_take_the_columns_of_the_table(
    width: int, expected: dict[str, tuple[int, int]]
) -> None:
    columns = np.arange(width, dtype=np.uint8)
    picture = np.broadcast_to(columns[None, :, None], (4, width, 3))
    for region in REGIONS:
        part = cut(picture, region)
        start, count = expected[region]
        assert part.shape == (4, count, 3)
        assert list(part[0, :, 0]) == list(range(start, start + count))


def test_region_is_a_view() -> None:
    picture = np.zeros((4, 6, 3), np.uint8)
    assert np.shares_memory(picture, cut(picture, "right"))


def test_unknown_region_is_refused_with_those_that_exist() -> None:
    with pytest.raises(ModelError, match="full, left, right"):
        cut(np.zeros((4, 6, 3), np.uint8), "top")
