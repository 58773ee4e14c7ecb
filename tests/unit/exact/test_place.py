"""Places: what lies inside the picture, and what is cut out to show who is there."""

import numpy as np
import pytest

from exact.place import Place

Box = tuple[float, float, float, float]


@pytest.mark.parametrize(
    ("place", "box"),
    [
        (Place(0.5, 0.5, 0.2, 0.4), (0.4, 0.3, 0.6, 0.7)),
        (Place(0.05, 0.9, 0.2, 0.4), (0.0, 0.7, 0.15, 1.0)),  # cut by two edges
        (Place(0.5, 0.5, 1.0, 1.0), (0.0, 0.0, 1.0, 1.0)),
    ],
)
def test_a_box_is_what_lies_inside_the_picture(place: Place, box: Box) -> None:
    assert place.box == pytest.approx(box)


@pytest.mark.parametrize(
    ("place", "box"),
    [
        # half its extent more on each side
        (Place(0.5, 0.5, 0.2, 0.4), (0.3, 0.1, 0.7, 0.9)),
        # a small one with more around it
        (Place(0.5, 0.5, 0.02, 0.05), (0.35, 0.35, 0.65, 0.65)),
        # moved into the picture at two edges
        (Place(0.05, 0.9, 0.2, 0.2), (0.0, 0.6, 0.4, 1.0)),
        # all there is, where it fills more than half
        (Place(0.4, 0.5, 0.6, 0.2), (0.0, 0.3, 1.0, 0.7)),
    ],
)
def test_surroundings_are_twice_as_large_and_inside_the_picture(place: Place, box: Box) -> None:
    assert place.surroundings(smallest=0.3) == pytest.approx(box)


@pytest.mark.parametrize(
    ("x", "y", "width", "height"),
    [(0.5, 0.5, 0.2, 0.3), (0, 1, 1, 1), (1, 0, 0, 0.5)],
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
        (0.5, 0.5, 0.2, 1.5),
        (float("nan"), 0.5, 0.2, 0.2),
        (0.5, 0.5, 0.2, float("nan")),
    ],
)
def test_what_is_no_share_of_the_picture_is_refused(
    x: float, y: float, width: float, height: float
) -> None:
    with pytest.raises(ValueError, match="share of the picture, 0 to 1"):
        Place(x, y, width, height)


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
