"""Who is where in stills: as it was drawn, and as a made-up network sees it."""

from collections.abc import Callable

import numpy as np
import pytest
from numpy.typing import NDArray

from model.dataset.stills import Stills
from model.pictures.preprocess import WIDE
from model.scenes.whereabouts import Whereabouts, seen_by
from tests.stills.placed_stills import Corners, Placed, placed_stills

ANN, BOB, CID, DOT = range(4)
LIKELY, SURE, HASTY, SOMEBODY = 0.5, 1.0, 0.4, 0.5

QUARTER, LOWER = (0.25, 0.25, 0.5, 0.5), (0.5, 0.5, 1.0, 1.0)


def unboxed(size: tuple[int, int] = (120, 160)) -> Placed:
    return Placed([], in_full=False, size=size, also=("ann",))


def hasty(corners: Corners) -> Placed:
    return Placed([("ann", corners)], in_full=False)


def test_what_people_drew_is_trusted_as_far_as_they_drew_everybody() -> None:
    everybody = Placed([("ann", QUARTER), ("bob", LOWER)])
    stranger = Placed([], in_full=False, also=("unknown",))
    found = Whereabouts.as_drawn(placed_stills(unboxed(), everybody, hasty(QUARTER), stranger))
    np.testing.assert_array_equal(found.ends, [0, 2, 3, 3])
    np.testing.assert_allclose(found.of(0), np.empty((0, 6)))
    np.testing.assert_allclose(found.of(1), [[ANN, *QUARTER, SURE], [BOB, *LOWER, SURE]])
    np.testing.assert_allclose(found.of(2), [[ANN, *QUARTER, HASTY]])
    assert len(found.of(3)) == 0
    # nobody ever drew a box around cid where everybody has one: there may be one without
    likely = [LIKELY] * 4
    np.testing.assert_allclose(found.absent, [likely, [SURE, SURE, LIKELY, LIKELY], likely, likely])


def test_stills_without_any_box_have_none_and_state_makes_the_same_again() -> None:
    found = Whereabouts.as_drawn(placed_stills(unboxed(), unboxed()))
    assert (found.boxes.shape, found.ends.tolist()) == ((0, 6), [0, 0])
    np.testing.assert_array_equal(found.absent, np.full((2, 4), LIKELY))
    drawn = Whereabouts.as_drawn(placed_stills(hasty(QUARTER), hasty(LOWER)))
    again = Whereabouts(**drawn.state())
    for index in range(2):
        np.testing.assert_array_equal(again.of(index), drawn.of(index))


Say = dict[int, tuple[float, int, int, float]]
"""By label: the logit, the row and the column of its likeliest place, and strides to each edge."""


def network(by_still: dict[int, Say], stills: Stills) -> Callable[..., NDArray[np.float32]]:
    """Answers as it is told for the stills that it knows by heart."""
    known = {
        WIDE.preprocess(stills.picture(still)).tobytes(): say for still, say in by_still.items()
    }

    def answer(pictures: NDArray[np.uint8]) -> NDArray[np.float32]:
        answers = np.full((len(pictures), 12, 16, 4 + 4), -9.0, np.float32)
        for row, picture in enumerate(pictures):
            for label, (logit, down, across, strides) in known[picture.tobytes()].items():
                answers[row, down, across, label] = logit
                answers[row, down, across, 4:] = np.log(strides)
        return answers

    return answer


# the middle of the place in row 4, column 5 is at 88, 72 of 256 x 192; two strides are 32 pixels
AT = (4, 5, 2.0)
AS_SHARES = (56 / 256, 40 / 192, 120 / 256, 104 / 192)
NEAR = (0.19, 0.17, 0.5, 0.5)
"""Nearly what is seen."""
FAR = (0.625, 0.65, 0.9, 0.9)
CORNER = (0, 0, 1.0)


def corrected(still: Placed, say: Say) -> tuple[NDArray[np.float32], NDArray[np.float32]]:
    """A still's boxes and absences."""
    stills = placed_stills(still)
    found = seen_by(network({0: say}, stills), stills, Whereabouts.as_drawn(stills), WIDE)
    return found.of(0), found.absent[0]


def test_label_of_a_still_is_where_it_is_seen() -> None:
    boxes, absent = corrected(
        unboxed(), {ANN: (3.0, *AT), BOB: (2.5, *CORNER), CID: (1.0, *CORNER)}
    )
    np.testing.assert_allclose(boxes, [[ANN, *AS_SHARES, SURE]], rtol=1e-5)
    # a second ann may stand there; bob surely seems to (0.92); cid (0.73) is likelier somebody else
    np.testing.assert_allclose(absent, [LIKELY, 0, LIKELY, SURE])


def test_who_is_seen_in_the_place_of_a_stills_label_is_not_there() -> None:
    _, absent = corrected(unboxed(), {ANN: (3.0, *AT), BOB: (2.5, *AT), CID: (-1.0, *AT)})
    np.testing.assert_allclose(absent, [LIKELY, SURE, SURE, SURE])


@pytest.mark.parametrize(
    ("drawn", "logit", "expected"),
    [
        # what was drawn is kept, and believed, where the same is seen
        (NEAR, 3.0, (*NEAR, SURE)),
        # and replaced where it is seen elsewhere
        (FAR, 3.0, (*AS_SHARES, SURE)),
        # 0.3 is enough, as that it is there is known: of -0.8 it is 0.31, of -0.9 it is 0.29
        (FAR, -0.8, (*AS_SHARES, SURE)),
        (FAR, -0.9, (*FAR, HASTY)),
    ],
)
def test_box_drawn_in_haste_is_checked_by_what_is_seen(
    drawn: Corners, logit: float, expected: tuple[float, ...]
) -> None:
    boxes, _ = corrected(hasty(drawn), {ANN: (logit, *AT)})
    np.testing.assert_allclose(boxes, [[ANN, *expected]], rtol=1e-5)


def test_only_label_of_a_still_that_is_not_seen_is_where_somebody_is() -> None:
    boxes, absent = corrected(unboxed(), {ANN: (-3.0, *CORNER), BOB: (2.0, *AT)})
    np.testing.assert_allclose(boxes, [[ANN, *AS_SHARES, SOMEBODY]], rtol=1e-5)
    np.testing.assert_allclose(absent, [LIKELY, SURE, SURE, SURE])
    # of two labels it may be either
    both = Placed([], in_full=False, also=("ann", "cid"))
    assert len(corrected(both, {BOB: (2.0, *AT)})[0]) == 0
    # and nobody is nobody: of -1 it is 0.27
    assert len(corrected(unboxed(), {BOB: (-1.0, *AT)})[0]) == 0


def test_who_drew_everybody_is_believed_and_others_are_absent_where_unseen() -> None:
    everybody = Placed([("ann", FAR), ("bob", (0.0, 0.0, 0.25, 0.25))])
    boxes, absent = corrected(everybody, {ANN: (3.0, *AT), CID: (2.5, *AT)})
    assert len(boxes) == 2
    np.testing.assert_allclose(boxes[0], [ANN, *FAR, SURE], rtol=1e-5)
    # whether cid has no box nobody knows, and cid is seen
    np.testing.assert_allclose(absent, [SURE, SURE, 0, SURE])


def test_in_a_wide_still_places_are_shares_of_what_is_not_black() -> None:
    boxes, _ = corrected(unboxed((90, 160)), {ANN: (3.0, *AT)})
    # of 256 x 192 the middle 144 rows, from 24 on
    expected = (56 / 256, 16 / 144, 120 / 256, 80 / 144)
    np.testing.assert_allclose(boxes, [[ANN, *expected, SURE]], rtol=1e-5)


def test_label_seen_in_the_black_alone_is_nowhere() -> None:
    boxes, _ = corrected(unboxed((90, 160)), {ANN: (3.0, 0, 5, 0.4)})
    assert len(boxes) == 0


def test_strangers_are_nobody_and_batches_change_nothing() -> None:
    stills = placed_stills(
        hasty(FAR),
        Placed([("ann", QUARTER), ("bob", LOWER)]),
        hasty(QUARTER),
        Placed([("unknown", QUARTER)], in_full=False),
    )
    say: dict[int, Say] = {
        0: {ANN: (3.0, *AT)},
        1: {BOB: (3.0, *AT)},
        2: {ANN: (-5.0, *AT)},
        3: {CID: (2.5, *AT)},
    }
    drawn = Whereabouts.as_drawn(stills)
    together = seen_by(network(say, stills), stills, drawn, WIDE)
    two_by_two = seen_by(network(say, stills), stills, drawn, WIDE, batch_size=2)
    for name, values in together.state().items():
        np.testing.assert_array_equal(two_by_two.state()[name], values)
    assert together.ends.tolist() == [1, 3, 4, 4]
    np.testing.assert_allclose(together.of(2), drawn.of(2))
    np.testing.assert_allclose(together.absent[3], [SURE, SURE, 0, SURE])
