"""Who is there, who is neither there nor not: by hand, on a scene of 100 x 100 pixels."""

import numpy as np
import pytest

from model.scenes.seen import Area, Scene, Seen

WHOLE: Area = (0, 0, 100, 100)


def scene() -> Scene:
    return Scene(np.zeros((100, 100, 3), np.uint8), np.ones(3, np.float32))


def box(left: float, top: float, right: float, bottom: float, label: int = 0) -> Seen:
    return Seen(label, left, top, right, bottom, 1.0)


@pytest.mark.parametrize(
    ("left", "seen", "hidden"),
    # 40 pixels wide: of it lie within the scene 40, 20, 20, 18, 17, 9, 8
    [
        *((0, 1, 0), (-20, 1, 0), (80, 1, 0), (-22, 0, 1), (83, 0, 1), (-31, 0, 1)),
        (92.5, 0, 0),
    ],
)
def test_half_of_a_box_is_somebody_a_fifth_nobody_and_between_neither(
    left: float, seen: int, hidden: int
) -> None:
    made = scene()
    made.note(box(left, 10, left + 40, 30), WHOLE)
    assert (len(made.seen), len(made.hidden)) == (seen, hidden)


def test_nobody_known_is_neither_seen_nor_hidden() -> None:
    made = scene()
    made.note(box(0, 0, 50, 50, label=3), WHOLE)
    made.note(box(-25, 0, 25, 50, label=3), WHOLE)
    assert not made.seen
    assert not made.hidden
    assert made.present == set()


def test_whoever_is_covered_by_more_than_half_is_hidden() -> None:
    made = scene()
    made.note(box(0, 0, 20, 20, label=0), WHOLE)
    made.note(box(40, 0, 60, 20, label=1), WHOLE)
    made.cover((8, 0, 45, 20))  # 0.6 of the first, a quarter of the second
    assert [each.label_number for each in made.hidden] == [0]
    assert made.present == {1}
    made.cover((52, 0, 80, 20))  # 0.4 more of it
    assert [each.label_number for each in made.hidden] == [0, 1]


def test_what_is_in_sight_is_counted_over_all_that_lies_above() -> None:
    made = scene()
    made.cover((0, 0, 100, 100))  # below
    made.note(box(20, 20, 60, 40), WHOLE)
    made.cover((20, 20, 32, 40))  # 12 of 40 columns
    made.cover((28, 20, 40, 30))  # 8 more of them, in half of the rows
    [ann] = made.seen
    assert made.share_in_sight(ann, WHOLE) == pytest.approx((40 - 12 - 4) / 40)
    assert made.share_in_sight(ann, (0, 0, 50, 100)) == pytest.approx((40 - 12 - 4 - 10) / 40)
    assert made.share_in_sight(ann, (0, 50, 100, 100)) == 0


def test_a_box_that_sticks_out_of_what_is_shown_of_its_picture_ends_there() -> None:
    made = scene()
    made.note(box(10, 10, 50, 30), (20, 0, 100, 100))
    assert made.seen[0].corners == (20, 10, 50, 30)


def test_a_box_that_leaves_the_frame_is_in_sight_as_far_as_it_does_not() -> None:
    made = scene()
    made.note(box(-10, 10, 30, 30), WHOLE)
    assert made.share_in_sight(made.seen[0], WHOLE) == pytest.approx(0.75)
