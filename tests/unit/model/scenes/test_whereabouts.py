"""Who is where beyond doubt: whole frames as drawn, else whole stills, and only of figures."""

import numpy as np
import pytest

from model.scenes.whereabouts import Whereabouts
from tests.stills.placed_stills import LABELS, Placed, placed_stills

BOX = (0.1, 0.2, 0.35, 0.7)
SLIM, WIDE = (160, 120), (90, 160)
ALL_OF_IT = (0.0, 0.0, 1.0, 1.0)

Said = list[tuple[str, tuple[float, ...]]]


def hasty(label: str, size: tuple[int, int]) -> Placed:
    return Placed([(label, BOX)], in_full=False, size=size)


def certain(*stills: Placed) -> list[Said]:
    unpacked = placed_stills(*stills)
    where = Whereabouts.certain(unpacked)
    assert (where.absent == Whereabouts.as_drawn(unpacked).absent).all()
    return [
        [
            (LABELS[int(box[0])], tuple(np.round(box[1:5], 3).tolist()))
            for box in where.of(number).astype(float)
        ]
        for number in range(len(unpacked))
    ]


def test_boxes_of_whole_frames_are_as_they_were_drawn() -> None:
    frame = Placed([("bob", BOX), ("ann", (0.5, 0.5, 1, 1)), ("unknown", (0.4, 0, 0.5, 1))])
    assert certain(frame) == [[*frame.boxes]]


@pytest.mark.parametrize("still", [hasty("ann", SLIM), Placed([], False, SLIM, ("ann",))])
def test_a_still_of_one_label_is_a_figure_as_a_whole_whatever_its_box(still: Placed) -> None:
    assert certain(still) == [[("ann", ALL_OF_IT)]]


def test_a_still_of_several_labels_without_all_their_boxes_has_no_figure() -> None:
    both = Placed([("ann", BOX)], in_full=False, also=("bob",))
    assert certain(both) == [[]]


def test_wide_stills_are_figures_only_of_labels_that_have_no_others() -> None:
    stills = [hasty("ann", SLIM), hasty("ann", WIDE), hasty("bob", WIDE)]
    assert certain(*stills) == [[("ann", ALL_OF_IT)], [], [("bob", ALL_OF_IT)]]


def test_strangers_without_a_box_are_figures_only_where_none_has_one() -> None:
    bare, boxed = Placed([], False, SLIM, ("unknown",)), Placed([("unknown", BOX)])
    assert certain(bare) == [[("unknown", ALL_OF_IT)]]
    assert certain(bare, boxed) == [[], [("unknown", BOX)]]
