"""Hats sit on a head, leave its lower part alone, and say what they cover."""

import numpy as np
import pytest

from model.scenes.hats import draw_hat
from model.scenes.seen import Area

HEAD: Area = (80, 100, 140, 180)
FIGURE: Area = (80, 50, 140, 230)


@pytest.mark.parametrize("box", [HEAD, FIGURE], ids=["head", "figure"])
@pytest.mark.parametrize("seed", range(12))
def test_a_hat_hides_the_top_and_no_more_than_a_third_of_a_width(box: Area, seed: int) -> None:
    picture = np.zeros((240, 240, 3), np.uint8)
    left, top, right = map(round, box[:3])
    covered = draw_hat(picture, box, np.random.default_rng(seed))
    painted = picture.max(axis=2) > 0
    assert painted[top + 1 : top + 8, left + 20 : right - 20].all()
    assert not painted[top + 30 :].any()  # 0.3 of 60 px, the brim's lower half, and a line
    rows, columns = np.nonzero(painted)
    assert covered == pytest.approx((columns.min(), rows.min(), columns.max(), rows.max()), abs=3)
    assert covered[1] < top
    assert columns.min() < (left + right) / 2 < columns.max()


def test_hats_are_of_many_kinds() -> None:
    kinds = set()
    for seed in range(40):
        picture = np.zeros((240, 240, 3), np.uint8)
        kinds.add(tuple(np.round(draw_hat(picture, HEAD, np.random.default_rng(seed)), 1)))
    assert len(kinds) >= 4


def test_a_head_at_the_edge_gets_what_there_is_room_for() -> None:
    picture = np.zeros((60, 60, 3), np.uint8)
    covered = draw_hat(picture, (30, -20, 90, 40), np.random.default_rng(0))
    assert picture.any()
    assert covered[1] < 0
