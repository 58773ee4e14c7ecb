"""What is right at each place, in grids drawn by hand."""

import numpy as np
import pytest
from numpy.typing import NDArray

from model.scenes.place_targets import Targets, batch_of, targets_of
from model.scenes.seen import Scene, Seen

LABELS = 3
ROWS, COLUMNS = 4, 6
ABSENT = np.array([1, 0.5, 0.25], np.float32)
"""How much it counts that each label is not there."""


def scene(**known: object) -> Scene:
    """Of 96x64 pixels: the middles of its places are at 8, 24, 40, 56, 72 and 88."""
    picture = np.zeros((16 * ROWS, 16 * COLUMNS, 3), np.uint8)
    return Scene(picture, ABSENT.copy(), **known)  # type: ignore[arg-type]


def right(targets: Targets) -> NDArray[np.float32]:
    return targets.places[..., :LABELS]


def counts(targets: Targets) -> NDArray[np.float32]:
    return targets.places[..., LABELS:]


def grid(text: str) -> NDArray[np.float64]:
    """A number for each place: `.` is 0.25, the label's absence, `-` is 0, `+` the box's trust."""
    return np.array(
        [[{".": 0.25, "-": 0.0, "+": 0.4}[each] for each in row] for row in text.split()]
    )


@pytest.mark.parametrize(
    ("box", "expected"),
    [
        # 22 % of 96 x 64 to each side of 48, 32: columns at 40 and 56, rows at 24 and 40
        ((0, 0, 96, 64), "------ --++-- --++-- ------"),
        # of 64 x 32 they are 14 and 7: no row is so near, but the place that holds the middle is
        ((16, 16, 80, 48), "...... .----. .--+-. ......"),
        # smaller than a place
        ((54, 38, 60, 44), "...... ...... ...+.. ......"),
        # what is out of the picture is no part of it: its middle is at 20, 17
        ((-60, -50, 40, 34), "---... -+-... ...... ......"),
        # at the edge, with three pixels left
        ((93, 0, 200, 64), "...... ...... ...... ......"),
        ((-50, -50, -10, -10), "...... ...... ...... ......"),
    ],
)
def test_places_in_the_middle_of_a_box_answer_for_it_and_those_around_are_left_alone(
    box: tuple[float, float, float, float], expected: str
) -> None:
    found = targets_of(scene(seen=[Seen(2, *box, 0.4)]))
    np.testing.assert_allclose(counts(found)[..., 2], grid(expected), rtol=1e-6)
    np.testing.assert_array_equal(right(found)[..., 2], grid(expected) == 0.4)
    np.testing.assert_array_equal(found.edges[..., 4] > 0, grid(expected) == 0.4)
    is_there = "+" in expected
    np.testing.assert_allclose(
        found.picture, [0, 0, is_there, 1, 0.5, 1 if is_there else 0.25], rtol=1e-6
    )
    # nothing is changed for the others
    np.testing.assert_array_equal(counts(found)[..., :2], np.broadcast_to([1, 0.5], (4, 6, 2)))
    assert not right(found)[..., :2].any()


def test_edges_are_logarithms_of_strides_and_none_is_nearer_than_a_quarter() -> None:
    found = targets_of(scene(seen=[Seen(1, 16, 16, 80, 48, 0.4)]))
    # from 56, 40
    np.testing.assert_allclose(found.edges[2, 3], [*np.log([2.5, 1.5, 1.5, 0.5]), 0.4], rtol=1e-6)
    found = targets_of(scene(seen=[Seen(1, 54, 38, 60, 44, 1.0)]))
    np.testing.assert_allclose(found.edges[2, 3], [*np.log([0.25] * 4), 1.0], rtol=1e-6)
    assert not np.delete(found.edges.reshape(-1, 5), 2 * COLUMNS + 3, axis=0).any()


def test_who_is_hidden_is_neither_there_nor_not() -> None:
    found = targets_of(scene(hidden=[Seen(2, -9, 0, 31, 31, 1.0)]))
    np.testing.assert_allclose(counts(found)[..., 2], grid("--.... --.... ...... ......"))
    np.testing.assert_array_equal(found.picture, [0, 0, 0, 1, 0.5, 0])
    assert not right(found).any()


def test_who_is_seen_once_and_hidden_once_is_there() -> None:
    hidden, seen = Seen(2, 0, 0, 31, 31, 1.0), Seen(2, 54, 38, 60, 44, 0.4)
    found = targets_of(scene(hidden=[hidden], seen=[seen]))
    np.testing.assert_allclose(
        counts(found)[..., 2], grid("--.... --.... ...+.. ......"), rtol=1e-6
    )
    assert (found.picture[2], found.picture[5]) == (1, 1)


def test_who_is_somewhere_counts_for_the_picture_alone() -> None:
    found = targets_of(scene(somewhere={1}))
    assert not counts(found)[..., 1].any()
    np.testing.assert_array_equal(found.picture, [0, 1, 0, 1, 1, 0.25])


def test_two_of_one_label_that_overlap_both_keep_their_middles() -> None:
    first, second = Seen(2, 0, 0, 48, 64, 0.4), Seen(2, 24, 0, 72, 64, 0.4)
    found = targets_of(scene(seen=[first, second]))
    there = grid("...... .+++.. .+++.. ......") == 0.4
    np.testing.assert_array_equal(right(found)[..., 2], there)


def test_batch_has_each_scenes_picture_and_targets_in_their_order() -> None:
    one, other = scene(somewhere={1}), scene(seen=[Seen(2, 0, 0, 96, 64, 1.0)])
    other.picture[:] = 7
    pictures, targets = batch_of([one, other])
    assert (pictures.shape, pictures[:, 0, 0, 0].tolist()) == ((2, 64, 96, 3), [0, 7])
    for number, each in enumerate((one, other)):
        for together, alone in zip(targets, targets_of(each), strict=True):
            np.testing.assert_array_equal(together[number], alone)
            assert together.dtype == np.float32
