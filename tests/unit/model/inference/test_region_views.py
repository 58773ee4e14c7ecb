"""A second look at the whole, from closer."""

from collections.abc import Sequence

import numpy as np
import pytest
from numpy.typing import NDArray

from model.inference.forward import ForwardPass
from model.inference.region_logits import region_logits, view_closer, whole_logits
from model.version.region_views import RegionViews

SIDE = 16
TWO = ("apple", "pear")


class Counting(ForwardPass):
    """Stands for a forward pass: the logits are a picture's white pixels, and its first value."""

    def __init__(self) -> None:
        super().__init__(answer_shape=(2,), batch_size=64)
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
    found = region_logits(forward, frames, ("full", "left", "right"), TWO, RegionViews(0.5))
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
    found = region_logits(
        forward, np.stack([[dot(), dot()]] * 3), regions, TWO, RegionViews(closer_view)
    )
    np.testing.assert_array_equal(found[:, :, 0], np.full((3, 2), SIDE**2 / 4))
    assert forward.seen == 6


GLANCING = RegionViews(glance_side=8, glance_clear=0.95)


KNOWN_OF_THREE = ("apple", "unknown", "pear")


class Sure(ForwardPass):
    """Stands for a network whose confidences in apple and pear are a picture's first values."""

    def __init__(self) -> None:
        super().__init__(answer_shape=(3,), batch_size=64)
        self.sides: list[int] = []

    def _logits_of_batch(self, pictures: NDArray[np.uint8]) -> NDArray[np.float32]:
        side = pictures.shape[1]
        self.sides += [side] * len(pictures)
        apple, pear = pictures[:, 0, 0, 0] / 100, pictures[:, 0, 0, 1] / 100
        logits = np.log(np.stack([apple, 1 - apple - pear, pear], axis=1))
        return np.asarray(logits + side, np.float32)  # which changes no confidence


def pictures_of(percent: Sequence[tuple[int, int]]) -> NDArray[np.uint8]:
    pictures = np.zeros((len(percent), SIDE, SIDE, 3), np.uint8)
    pictures[..., :2] = np.array(percent)[:, None, None]
    return pictures


def test_who_is_neither_surely_there_nor_surely_not_is_looked_at_as_they_are() -> None:
    percent = [(50, 1), (94, 1), (96, 1), (4, 1), (6, 1), (1, 96), (4, 4), (1, 30), (1, 1)]
    forward = Sure()
    found = whole_logits(forward, pictures_of(percent), KNOWN_OF_THREE, GLANCING)
    unclear = [True, True, False, False, True, False, False, True, False]
    assert forward.sides == [8] * 9 + [SIDE] * 4
    shares = np.array([[apple, 100 - apple - pear, pear] for apple, pear in percent]) / 100
    expected = np.log(shares) + np.where(unclear, SIDE, 8)[:, None]
    np.testing.assert_allclose(found, expected, rtol=1e-5)


def test_what_is_clear_at_a_glance_does_not_depend_on_what_came_with_it() -> None:
    rng = np.random.default_rng(3)
    pictures = pictures_of([(value, 1) for value in rng.integers(1, 99, 130)])
    together = whole_logits(Sure(), pictures, KNOWN_OF_THREE, GLANCING)
    alone = [
        whole_logits(Sure(), picture[None], KNOWN_OF_THREE, GLANCING)[0] for picture in pictures
    ]
    np.testing.assert_array_equal(together, alone)


def test_no_frames_have_no_logits() -> None:
    none = np.empty((0, 3, SIDE, SIDE, 3), np.uint8)
    for views in (RegionViews(), RegionViews(closer_view=0.875), GLANCING):
        found = region_logits(Counting(), none, ("full", "left", "right"), TWO, views)
        assert found.shape == (0, 3, 2)
