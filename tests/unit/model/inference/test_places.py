"""Where a dense network sees a label, against answers made by hand."""

import numpy as np

from model.inference.places import as_shares, most_likely_places
from model.pictures.preprocess import FrameArea

ROWS, COLUMNS, LABELS = 2, 3, 2


def test_each_label_is_at_its_likeliest_place_with_the_edges_of_that_place() -> None:
    answers = np.full((2, ROWS, COLUMNS, LABELS + 4), -5.0, np.float32)
    answers[0, 1, 2, 0] = 3.0
    answers[0, 1, 2, 2:] = np.log([1, 2, 0.5, 1])  # strides to left, top, right and bottom
    answers[0, 0, 0, 1] = -1.0
    answers[0, 0, 0, 2:] = np.log(0.5)
    answers[1, 0, 1, :2] = 2.0, 1.0  # both at one place
    answers[1, 0, 1, 2:] = np.log([1, 0.25, 1, 0.25])
    found = most_likely_places(answers)
    np.testing.assert_array_equal(found.logits, [[3, -1], [2, 1]])
    # places are 16 pixels apart; of the third in the second row the middle is 40, 24
    expected = [
        [[40 - 16, 24 - 32, 40 + 8, 24 + 16], [0, 0, 16, 16]],
        [[24 - 16, 8 - 4, 24 + 16, 8 + 4]] * 2,
    ]
    np.testing.assert_allclose(found.boxes, expected, atol=1e-4)


def test_distance_beyond_all_reason_is_finite() -> None:
    answers = np.zeros((1, ROWS, COLUMNS, LABELS + 4), np.float32)
    answers[..., 2:] = [1000, -1000, 1000, 1000]
    boxes = most_likely_places(answers).boxes
    assert np.isfinite(boxes).all()
    # 16 pixels times e to the power of 4 and of -4
    np.testing.assert_allclose(boxes[0, 0, :2], [8 - 16 * 54.598, 8 - 16 * 0.018316], rtol=1e-4)


def test_no_frames_have_no_places() -> None:
    found = most_likely_places(np.empty((0, ROWS, COLUMNS, LABELS + 4), np.float32))
    assert (found.logits.shape, found.boxes.shape) == ((0, LABELS), (0, LABELS, 4))


def test_boxes_are_shares_of_the_picture_without_what_is_black() -> None:
    wide = FrameArea(left=0, top=24, width=256, height=144)
    boxes = np.array([[64, 24, 128, 168], [-10, 0, 300, 30], [0, 0, 256, 20]], np.float32)
    # the last is all in the black
    expected = np.array([[0.25, 0, 0.5, 1], [0, 0, 1, 6 / 144], [0, 0, 1, 0]])
    np.testing.assert_allclose(as_shares(boxes, wide), expected)
    tall = FrameArea(left=80, top=0, width=96, height=192)
    np.testing.assert_allclose(
        as_shares(np.array([80, 0, 128, 96], np.float32), tall), [0, 0, 0.5, 0.5]
    )
