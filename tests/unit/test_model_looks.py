"""A second look at the whole, from closer."""

import numpy as np
import pytest
from numpy.typing import NDArray

from model.forward import ForwardPass
from model.looks import Looks, region_logits, view_closer

SIDE = 16


class Counting(ForwardPass):
    """Stands for a forward pass: the logits are a picture's white pixels, and its first value."""

    def __init__(self) -> None:
        super().__init__(outputs=2, batch_size=64)
        self.seen = 0

    def _logits_of_batch(self, pictures: NDArray[np.uint8]) -> NDArray[np.float32]:
        self.seen += len(pictures)
        white = (pictures == 255).all(axis=3).sum(axis=(1, 2))
        return np.stack([white, pictures[:, 0, 0, 0]], axis=1).astype(np.float32)


def dot(side: int = SIDE) -> NDArray[np.uint8]:
    """White in the middle half of black: a quarter of the pixels."""
    picture = np.zeros((side, side, 3), np.uint8)
    picture[side // 4 : -side // 4, side // 4 : -side // 4] = 255
    return picture


def test_closer_view_is_the_middle_as_large_as_the_whole() -> None:
    np.testing.assert_array_equal(view_closer(dot(), 0.5), np.full((SIDE, SIDE, 3), 255))
    closer = view_closer(dot(), 0.75)
    assert closer.shape == (SIDE, SIDE, 3)
    assert (closer == 255).mean() == pytest.approx((0.5 / 0.75) ** 2, abs=0.1)
    edge = dot()
    edge[0] = 9
    assert 9 not in view_closer(edge, 0.875)


def test_whole_is_the_mean_of_both_looks_and_halves_are_looked_at_once() -> None:
    black = np.zeros_like(dot())
    frames = np.stack([[dot(), black, dot()], [black, dot(), black]])
    forward = Counting()
    found = region_logits(forward, frames, ("full", "left", "right"), Looks(0.5))
    quarter, all_of_it = SIDE**2 / 4, SIDE**2
    mean = (quarter + all_of_it) / 2
    np.testing.assert_array_equal(found[:, :, 0], [[mean, 0, quarter], [0, quarter, 0]])
    assert forward.seen == 2 * (3 + 1)


@pytest.mark.parametrize(
    ("regions", "closer_view"), [(("full", "left"), 0.0), (("left", "right"), 0.5)]
)
def test_without_a_closer_view_or_a_whole_each_region_is_looked_at_once(
    regions: tuple[str, ...], closer_view: float
) -> None:
    forward = Counting()
    found = region_logits(forward, np.stack([[dot(), dot()]] * 3), regions, Looks(closer_view))
    np.testing.assert_array_equal(found[:, :, 0], np.full((3, 2), SIDE**2 / 4))
    assert forward.seen == 6


GLANCING = Looks(glance_side=8, glance_clear=0.95)


class Sure(ForwardPass):
    """Stands for a network whose confidence in label 0 is a picture's first value, in percent."""

    def __init__(self) -> None:
        super().__init__(outputs=2, batch_size=64)
        self.sides: list[int] = []

    def _logits_of_batch(self, pictures: NDArray[np.uint8]) -> NDArray[np.float32]:
        side = pictures.shape[1]
        self.sides += [side] * len(pictures)
        confidence = pictures[:, 0, 0, 0] / 100
        logits = np.log(np.stack([confidence, 1 - confidence], axis=1))
        return np.asarray(logits + side, np.float32)  # which changes no confidence


def test_what_a_glance_leaves_unclear_is_looked_at_as_it_is() -> None:
    percent = [50, 94, 96, 4, 6, 99]
    pictures = np.stack([np.full((SIDE, SIDE, 3), value, np.uint8) for value in percent])
    forward = Sure()
    found = GLANCING.logits(forward, pictures)
    assert forward.sides == [8] * 6 + [SIDE] * 3
    looked_at = np.where([True, True, False, False, True, False], SIDE, 8)
    expected = np.log(np.array([[p / 100, 1 - p / 100] for p in percent])) + looked_at[:, None]
    np.testing.assert_allclose(found, expected, rtol=1e-5)


def test_what_is_clear_at_a_glance_does_not_depend_on_what_came_with_it() -> None:
    rng = np.random.default_rng(3)
    values = rng.integers(1, 99, 130)
    pictures = np.stack([np.full((SIDE, SIDE, 3), value, np.uint8) for value in values])
    together = GLANCING.logits(Sure(), pictures)
    alone = [GLANCING.logits(Sure(), picture[None])[0] for picture in pictures]
    np.testing.assert_array_equal(together, alone)


def test_no_frames_have_no_logits() -> None:
    none = np.empty((0, 3, SIDE, SIDE, 3), np.uint8)
    for looks in (Looks(), Looks(closer_view=0.875), GLANCING):
        found = region_logits(Counting(), none, ("full", "left", "right"), looks)
        assert found.shape == (0, 3, 2)
