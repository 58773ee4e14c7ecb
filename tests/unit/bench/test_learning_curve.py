"""The figures of whole frames, against a table worked out by hand."""

import pytest

from bench.learning_curve import _cells, is_centre_inside
from exact.place import Place
from model.inference.classifier import Prediction


def test_cells_are_f1_by_number_then_false_tags_then_centres() -> None:
    true: list[set[str]] = [
        {"ann"},
        {"ann", "bob"},
        {"ann", "bob", "cat"},
        {"ann", "bob", "cat", "dan"},
        set(),
        set(),
    ]
    found: list[set[str]] = [
        {"ann"},  # 1 right
        {"ann"},  # 1 right, 1 missed
        {"ann", "bob", "dan"},  # 2 right, 1 made up, 1 missed
        {"ann", "bob", "cat", "dan"},  # 4 right
        {"bob"},  # 1 made up
        set(),
    ]
    # all: 8 right, 2 made up, 2 missed; three or more: 6 right, 1 made up, 1 missed
    assert _cells(true, found, [True, True, False, True]).split(" | ") == [
        *("0.800", "1.000", "0.667", "0.667", "1.000", "0.857"),
        *("1 of 2", "75.0% of 4"),
    ]


@pytest.mark.parametrize(
    ("x", "y", "is_inside"), [(0.3, 0.3, True), (0.5, 0.3, False), (0.8, 0.8, True)]
)
def test_a_centre_may_lie_in_any_box_of_its_label(x: float, y: float, is_inside: bool) -> None:
    prediction = Prediction("ann", "full", 0.9, Place(x, y, 0.1, 0.1))
    boxes = [(0.2, 0.2, 0.4, 0.4), (0.7, 0.7, 0.9, 0.9)]
    assert is_centre_inside(prediction, boxes) == is_inside
