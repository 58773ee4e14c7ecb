"""Whole pictures in a frame: where they lie, and the black around them."""

import numpy as np
import pytest

from model.errors import ModelError
from model.pictures.preprocess import FINE, WIDE, shape_seen, whole_frame_named


@pytest.mark.parametrize(
    ("height", "width", "area"),  # of 256x192: left, top, width, height
    [
        (480, 640, (0, 0, 256, 192)),
        (192, 256, (0, 0, 256, 192)),
        (132, 176, (0, 0, 256, 192)),  # smaller ones grow
        (1080, 1920, (0, 24, 256, 144)),
        (360, 640, (0, 24, 256, 144)),
        (1000, 2390, (0, 42, 256, 107)),  # 256000 / 2390 is 107.1
        (200, 100, (80, 0, 96, 192)),
        (1, 1, (32, 0, 192, 192)),
        (1, 10_000, (0, 95, 256, 1)),
        (10_000, 1, (127, 0, 1, 192)),
    ],
)
def test_picture_is_as_large_as_fits_with_black_around_it(
    height: int, width: int, area: tuple[int, int, int, int]
) -> None:
    found = WIDE.preprocess(np.full((height, width, 3), 200, np.uint8))
    assert WIDE.area(height, width) == area
    assert found.shape == (192, 256, 3)
    assert found.dtype == np.uint8
    left, top, across, down = area
    expected = np.zeros((192, 256, 3), np.uint8)
    expected[top : top + down, left : left + across] = 200
    np.testing.assert_array_equal(found, expected)


def test_what_is_where_in_a_picture_is_there_in_the_frame() -> None:
    """Four quarters of their own grey; a frame of 16:9 loses nothing."""
    picture = np.zeros((720, 1280, 3), np.uint8)
    picture[:360, :640], picture[:360, 640:] = 50, 100
    picture[360:, :640], picture[360:, 640:] = 150, 200
    found = WIDE.preprocess(picture)[..., 0]
    np.testing.assert_array_equal(found[24:168:143, ::255], [[50, 100], [150, 200]])
    assert [int(found[row, 127]) for row in (95, 96)] == [50, 150]
    assert [int(found[95, column]) for column in (127, 128)] == [50, 100]


def test_picture_of_the_frames_size_is_left_as_it_is() -> None:
    picture = np.random.default_rng(0).integers(0, 256, (192, 256, 3), np.uint8)
    np.testing.assert_array_equal(WIDE.preprocess(picture), picture)


@pytest.mark.parametrize("shape", [(192, 256), (192, 256, 4), (0, 256, 3)])
def test_what_is_no_picture_is_refused(shape: tuple[int, ...]) -> None:
    with pytest.raises(ModelError, match="cannot be classified"):
        WIDE.preprocess(np.zeros(shape, np.uint8))


def test_rules_are_found_by_their_names_each_among_its_own() -> None:
    assert whole_frame_named("fit256x192") is WIDE
    assert (shape_seen("fit256x192"), shape_seen("fit112_crop96")) == ((192, 256), (96, 96))
    with pytest.raises(ModelError, match="'fit112_crop96' is unknown: use fit256x192"):
        whole_frame_named(FINE.name)
    with pytest.raises(ModelError, match="'fit1' is unknown: use fit84_crop64, fit112_crop96, fit"):
        shape_seen("fit1")
