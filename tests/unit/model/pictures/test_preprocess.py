"""The task's preprocessing rule, against a table worked out by hand."""

import numpy as np
import pytest

from model.errors import ModelError
from model.pictures.preprocess import TASK

# height, width of a picture -> top, left, height, width of what is seen of it in 64x64
BY_HAND = [
    ((64, 64), (0, 0, 64, 64)),
    ((32, 64), (16, 0, 32, 64)),
    ((64, 16), (0, 24, 64, 16)),
    ((10, 10), (0, 0, 64, 64)),  # small ones are enlarged
    ((1, 1), (0, 0, 64, 64)),
    ((65, 65), (0, 0, 64, 64)),  # fits 84x84, so the crop fills everything
    ((168, 84), (0, 11, 64, 42)),  # 84x42
    ((84, 168), (11, 0, 42, 64)),
    ((144, 256), (8, 0, 47, 64)),  # 47.25 x 84: 47 rows, 17 left over, 8 above
    ((144, 128), (0, 0, 64, 64)),  # 84 x 74.7
    ((240, 320), (0, 0, 63, 64)),  # 63 x 84
    ((1, 300), (31, 0, 1, 64)),
    ((300, 1), (0, 31, 64, 1)),
    ((1072, 1912), (8, 0, 47, 64)),  # 47.1 x 84
]


@pytest.mark.parametrize(("size", "seen"), BY_HAND)
def test_white_picture_appears_where_the_table_says_and_all_else_is_black(
    size: tuple[int, int], seen: tuple[int, int, int, int]
) -> None:
    top, left, height, width = seen
    expected = np.zeros((64, 64, 3), np.uint8)
    expected[top : top + height, left : left + width] = 255
    result = TASK.preprocess(np.full((*size, 3), 255, np.uint8))
    assert result.dtype == np.uint8
    np.testing.assert_array_equal(result, expected)


def test_picture_of_84x84_keeps_its_middle_pixels_unchanged() -> None:
    picture = np.random.default_rng(1).integers(0, 256, (84, 84, 3), np.uint8)
    np.testing.assert_array_equal(TASK.preprocess(picture), picture[10:74, 10:74])


def test_picture_of_64x64_is_unchanged() -> None:
    picture = np.random.default_rng(2).integers(0, 256, (64, 64, 3), np.uint8)
    np.testing.assert_array_equal(TASK.preprocess(picture), picture)


def test_shrinking_to_half_averages_four_pixels() -> None:
    picture = np.random.default_rng(3).integers(0, 256, (168, 168, 3), np.uint8)
    means = picture.reshape(84, 2, 84, 2, 3).mean(axis=(1, 3))
    difference = np.abs(TASK.preprocess(picture) - means[10:74, 10:74])
    assert difference.max() <= 0.5


def test_preprocessing_is_the_middle_of_the_canvas() -> None:
    picture = np.random.default_rng(4).integers(0, 256, (132, 176, 3), np.uint8)
    np.testing.assert_array_equal(
        TASK.preprocess(picture), TASK.crop_middle(TASK.fit_to_canvas(picture))
    )


def test_picture_is_not_changed_and_may_be_a_view() -> None:
    whole = np.random.default_rng(5).integers(0, 256, (144, 256, 3), np.uint8)
    before = whole.copy()
    half = whole[:, 128:]
    np.testing.assert_array_equal(TASK.preprocess(half), TASK.preprocess(half.copy()))
    np.testing.assert_array_equal(whole, before)


@pytest.mark.parametrize("shape", [(10, 10), (10, 10, 4), (0, 10, 3), (10, 0, 3)])
def test_array_that_is_no_picture_is_refused_with_its_shape(shape: tuple[int, ...]) -> None:
    with pytest.raises(ModelError, match="uint8") as caught:
        TASK.preprocess(np.zeros(shape, np.uint8))
    assert str(shape) in str(caught.value)


def test_picture_of_floats_is_refused() -> None:
    with pytest.raises(ModelError, match="float64"):
        TASK.preprocess(np.zeros((10, 10, 3)))  # type: ignore[arg-type]
