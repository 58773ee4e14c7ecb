"""Places: what lies inside the picture, and what is cut out to show who is there."""

import pytest

from timeline.errors import TimelineError
from timeline.place import Place

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
    assert place.box() == pytest.approx(box)


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


@pytest.mark.parametrize("share", [-0.1, 1.1, float("nan")])
def test_what_is_no_share_of_the_picture_is_refused(share: float) -> None:
    with pytest.raises(TimelineError, match="0 to 1"):
        Place(0.5, 0.5, share, 0.5)
