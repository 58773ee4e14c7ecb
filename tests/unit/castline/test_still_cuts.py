"""What is cut out around a place: expected pixels by hand."""

import numpy as np
import pytest

from castline.stills.still_cuts import cut_around
from exact.place import Place

PICTURE = np.stack(np.broadcast_arrays(*np.ogrid[:100, :200], 0), axis=2).astype(np.uint8)
"""100 rows of 200 columns; each pixel says its row and column."""


@pytest.mark.parametrize(
    ("place", "corners"),
    [
        # 40 x 40 pixels about (100, 40): 20 more on both sides, 4 above, 16 below
        (Place(0.5, 0.4, 0.2, 0.4), (60, 16, 140, 76)),
        (Place(0.1, 0.1, 0.2, 0.2), (0, 0, 60, 28)),  # cut at the picture's edges
        (Place(0.5, 0.5, 1.0, 1.0), (0, 0, 200, 100)),
        (Place(1.0, 1.0, 0.001, 0.001), (199, 99, 200, 100)),
    ],
)
def test_place_is_widened_within_the_picture(
    place: Place, corners: tuple[int, int, int, int]
) -> None:
    found = cut_around(PICTURE, place)
    top, left = found[0, 0, :2]
    bottom, right = found[-1, -1, :2]
    assert (left, top, right + 1, bottom + 1) == corners
