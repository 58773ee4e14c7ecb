"""Who is where in stills: as it was drawn, and as a made-up network sees it."""

from collections.abc import Callable

import numpy as np
import pytest
from numpy.typing import NDArray

from model.preprocess import WIDE
from model.stills import Stills
from model.whereabouts import Whereabouts, seen_by
from tests.boxed_stills import Drawn, Figure, stills_of

ANT, BEE, COW, STRANGER = range(4)
LIKELY, SURE, HASTY = 0.5, 1.0, 0.4

DRAWN = (
    Drawn([Figure(ANT, 40, 30, 80, 60)], boxed=False),
    Drawn([Figure(ANT, 0, 0, 40, 30), Figure(BEE, 80, 60, 160, 120)], all_boxed=True),
    Drawn([Figure(ANT, 40, 30, 80, 60)]),
    Drawn([Figure(STRANGER, 0, 0, 40, 30)], boxed=False),
)


def test_what_people_drew_is_trusted_as_far_as_they_drew_everybody() -> None:
    found = Whereabouts.as_drawn(stills_of(DRAWN))
    np.testing.assert_array_equal(found.ends, [0, 2, 3, 3])
    np.testing.assert_allclose(found.of(0), np.empty((0, 6)))
    np.testing.assert_allclose(
        found.of(1), [[ANT, 0, 0, 0.25, 0.25, SURE], [BEE, 0.5, 0.5, 1, 1, SURE]]
    )
    np.testing.assert_allclose(found.of(2), [[ANT, 0.25, 0.25, 0.5, 0.5, HASTY]])
    assert len(found.of(3)) == 0
    # nobody ever drew a box around a cow where everybody has one: there may be one without
    np.testing.assert_allclose(
        found.absent, [[LIKELY] * 3, [SURE, SURE, LIKELY], [LIKELY] * 3, [LIKELY] * 3]
    )


def test_stills_without_any_box_have_none() -> None:
    found = Whereabouts.as_drawn(stills_of([DRAWN[0], DRAWN[3]]))
    assert (found.boxes.shape, found.ends.tolist()) == ((0, 6), [0, 0])
    np.testing.assert_array_equal(found.absent, np.full((2, 3), LIKELY))


def test_state_makes_the_same_again() -> None:
    drawn = Whereabouts.as_drawn(stills_of(DRAWN))
    again = Whereabouts(**drawn.state())
    for index in range(len(DRAWN)):
        np.testing.assert_array_equal(again.of(index), drawn.of(index))


Say = dict[int, tuple[float, int, int, float]]
"""By label: the logit, the row and the column of its likeliest place, and strides to each edge."""


def network(by_still: dict[int, Say], stills: Stills) -> Callable[..., NDArray[np.float32]]:
    """Answers as it is told for the stills that it knows by heart."""
    known = {
        WIDE.preprocess(stills.picture(still)).tobytes(): say for still, say in by_still.items()
    }

    def answer(pictures: NDArray[np.uint8]) -> NDArray[np.float32]:
        answers = np.full((len(pictures), 12, 16, 3 + 4), -9.0, np.float32)
        for row, picture in enumerate(pictures):
            for label, (logit, down, across, strides) in known[picture.tobytes()].items():
                answers[row, down, across, label] = logit
                answers[row, down, across, 3:] = np.log(strides)
        return answers

    return answer


# the middle of the place in row 4, column 5 is at 88, 72 of 256 x 192; two strides are 32 pixels
AT = (4, 5, 2.0)
AS_SHARES = (56 / 256, 40 / 192, 120 / 256, 104 / 192)
NEAR = Figure(ANT, 30, 20, 80, 60)
"""In pixels of 160 x 120: of 256 x 192 it is 48 to 128 and 32 to 96, nearly what is seen."""
FAR = Figure(ANT, 100, 80, 150, 110)


def corrected(drawn: Drawn, say: Say) -> tuple[NDArray[np.float32], NDArray[np.float32]]:
    """A still's boxes and absences."""
    stills = stills_of([drawn])
    found = seen_by(network({0: say}, stills), stills, Whereabouts.as_drawn(stills), WIDE)
    return found.of(0), found.absent[0]


def test_label_of_a_still_is_where_it_is_seen() -> None:
    boxes, absent = corrected(
        Drawn([FAR], boxed=False), {ANT: (3.0, *AT), BEE: (0.5, 0, 0, 1.0), COW: (-0.5, 0, 0, 1.0)}
    )
    np.testing.assert_allclose(boxes, [[ANT, *AS_SHARES, SURE]], rtol=1e-5)
    # a second ant may stand there; a bee is likelier there than not, which may be so; no cow is
    np.testing.assert_allclose(absent, [LIKELY, 0, SURE])


@pytest.mark.parametrize(
    ("figure", "logit", "expected"),
    [
        # what was drawn is kept, and believed, where the same is seen
        (NEAR, 3.0, (30 / 160, 20 / 120, 80 / 160, 60 / 120, SURE)),
        # and replaced where it is seen elsewhere
        (FAR, 3.0, (*AS_SHARES, SURE)),
        # 0.3 is enough, as that it is there is known: of -0.8 it is 0.31, of -0.9 it is 0.29
        (FAR, -0.8, (*AS_SHARES, SURE)),
        (FAR, -0.9, (100 / 160, 80 / 120, 150 / 160, 110 / 120, HASTY)),
    ],
)
def test_box_drawn_in_haste_is_checked_by_what_is_seen(
    figure: Figure, logit: float, expected: tuple[float, ...]
) -> None:
    boxes, _ = corrected(Drawn([figure]), {ANT: (logit, *AT)})
    np.testing.assert_allclose(boxes, [[ANT, *expected]], rtol=1e-5)


def test_who_drew_everybody_is_believed_and_others_are_absent_where_unseen_or_drawn() -> None:
    everybody = Drawn([FAR, Figure(BEE, 0, 0, 20, 20)], all_boxed=True)
    boxes, absent = corrected(everybody, {ANT: (3.0, *AT), COW: (2.0, 0, 0, 1.0)})
    assert len(boxes) == 2
    np.testing.assert_allclose(
        boxes[0], [ANT, 100 / 160, 80 / 120, 150 / 160, 110 / 120, SURE], rtol=1e-5
    )
    # whether a cow has no box nobody knows, and one is seen
    np.testing.assert_allclose(absent, [SURE, SURE, 0])


def test_in_a_wide_still_places_are_shares_of_what_is_not_black() -> None:
    wide = Drawn([Figure(ANT, 0, 0, 5, 5)], boxed=False, height=90, width=160)
    boxes, _ = corrected(wide, {ANT: (3.0, *AT)})
    # of 256 x 192 the middle 144 rows, from 24 on
    expected = (56 / 256, 16 / 144, 120 / 256, 80 / 144)
    np.testing.assert_allclose(boxes, [[ANT, *expected, SURE]], rtol=1e-5)


def test_label_seen_in_the_black_alone_is_nowhere() -> None:
    wide = Drawn([Figure(ANT, 0, 0, 5, 5)], boxed=False, height=90, width=160)
    boxes, absent = corrected(wide, {ANT: (3.0, 0, 5, 0.4)})
    assert len(boxes) == 0
    assert absent[ANT] < SURE


def test_strangers_are_nobody_and_batches_change_nothing() -> None:
    stills = stills_of(DRAWN)
    say: dict[int, Say] = {
        0: {ANT: (3.0, *AT)},
        1: {BEE: (3.0, *AT)},
        2: {},
        3: {COW: (2.0, *AT)},
    }
    # stills 0 and 2 look alike: what is said of the later one counts for both
    say[0] = say[2]
    drawn = Whereabouts.as_drawn(stills)
    together = seen_by(network(say, stills), stills, drawn, WIDE)
    two_by_two = seen_by(network(say, stills), stills, drawn, WIDE, batch_size=2)
    for name, values in together.state().items():
        np.testing.assert_array_equal(two_by_two.state()[name], values)
    assert together.ends.tolist() == [0, 2, 3, 3]
    np.testing.assert_allclose(together.absent[3], [SURE, SURE, 0])
