"""Places in a picture: what they may say."""

import numpy as np
import pytest

from model.errors import ModelError
from model.inference.classifier import Prediction
from model.pictures.place import Place


@pytest.mark.parametrize(
    ("x", "y", "width", "height"),
    [(0.5, 0.5, 0.2, 0.3), (0, 1, 1, 1), (1, 0, 0.0001, 0.5)],
)
def test_shares_of_the_picture_make_a_place(
    x: float, y: float, width: float, height: float
) -> None:
    place = Place(x, y, width, height)
    assert (place.x, place.y, place.width, place.height) == (x, y, width, height)


@pytest.mark.parametrize(
    ("x", "y", "width", "height"),
    [
        (-0.1, 0.5, 0.2, 0.2),
        (0.5, 1.1, 0.2, 0.2),
        (0.5, 0.5, 0, 0.2),
        (0.5, 0.5, 0.2, 1.5),
        (float("nan"), 0.5, 0.2, 0.2),
        (0.5, 0.5, 0.2, float("nan")),
    ],
)
def test_what_is_no_share_of_the_picture_is_refused(
    x: float, y: float, width: float, height: float
) -> None:
    with pytest.raises(ModelError, match="give shares of the picture"):
        Place(x, y, width, height)


def test_a_prediction_of_a_network_that_tells_no_place_has_none() -> None:
    assert Prediction("ned_flanders", "full", 0.9).place is None


@pytest.mark.parametrize(
    ("corners", "expected"),
    [
        ((0.25, 0.5, 0.75, 1.0), (0.5, 0.75, 0.5, 0.5)),
        ((0, 0, 1, 1), (0.5, 0.5, 1, 1)),
        # what has no extent, as at an edge, has the least that there is
        ((0, 0.5, 0, 0.5), (0, 0.5, 0.001, 0.001)),
        ((1, 1, 1, 1), (1, 1, 0.001, 0.001)),
    ],
)
def test_place_between_corners_is_their_middle_and_what_lies_between(
    corners: tuple[float, ...], expected: tuple[float, ...]
) -> None:
    found = Place.between(np.array(corners, np.float32))
    assert (found.x, found.y, found.width, found.height) == pytest.approx(expected)
