"""The pictures that explain a set of stills, measured in their pixels, and lines for people."""

from io import BytesIO

import numpy as np
import pytest
from numpy.typing import NDArray
from PIL import Image, ImageColor

from model.dataset.pictures import draw_counts, draw_preprocessing
from model.evaluation.predictions import Confused, Confusion
from model.pictures.preprocess import TASK
from model.training.history import Epoch

DARK, LIGHT, RED = (ImageColor.getrgb(name) for name in ("#332288", "#88CCEE", "#CC6677"))


def pixels(content: bytes) -> NDArray[np.uint8]:
    return np.asarray(Image.open(BytesIO(content), formats=["PNG"]).convert("RGB"))


def coloured(drawn: NDArray[np.uint8], colour: tuple[int, ...]) -> NDArray[np.bool_]:
    return np.asarray((drawn == np.array(colour, np.uint8)).all(axis=-1))


def bars(drawn: NDArray[np.uint8], colour: tuple[int, ...]) -> list[tuple[int, int]]:
    """Top and length of each bar of a colour, from the top; not what the legend shows of it."""
    found = coloured(drawn, colour)
    lengths = found.sum(axis=1)
    starts = np.flatnonzero((lengths > 0) & (np.roll(lengths, 1) == 0))
    rows = [(int(row), int(lengths[row + 3])) for row in starts]
    left = min(int(np.flatnonzero(found[row + 3])[0]) for row, _ in rows)
    return [(row, n) for row, n in rows if np.flatnonzero(found[row + 3])[0] <= left + 3]


def test_bars_are_as_long_as_the_counts_and_the_longest_is_on_top() -> None:
    counts = {"ant": 100, "bee": 400, "cat": 300, "dog": 200}
    drawn = pixels(draw_counts(counts, ["bee", "dog"]))
    (bee_top, bee), (dog_top, dog) = bars(drawn, DARK)
    (cat_top, cat), (ant_top, ant) = bars(drawn, LIGHT)
    assert bee_top < cat_top < dog_top < ant_top
    assert bee / ant == pytest.approx(4, rel=0.03)
    assert cat / ant == pytest.approx(3, rel=0.03)
    assert dog / ant == pytest.approx(2, rel=0.03)


@pytest.mark.parametrize("chosen", [[], ["ant"]])
def test_a_single_label_is_drawn_whether_chosen_or_not(chosen: list[str]) -> None:
    drawn = pixels(draw_counts({"ant": 1}, chosen))
    assert coloured(drawn, DARK).any() == bool(chosen)
    assert coloured(drawn, LIGHT).any() != bool(chosen)


def test_preprocessing_shows_that_pixels_get_fewer_and_which_are_kept() -> None:
    green = (20, 200, 60)
    large = np.full((168, 168, 3), green, np.uint8)  # 84 on the canvas, of which 64 are kept
    drawn = pixels(draw_preprocessing({"large": large}, TASK))
    thirds = np.array_split(coloured(drawn, green), 3, axis=1)
    areas = [third.sum() for third in thirds]
    assert areas[0] / areas[2] == pytest.approx((168 / 64) ** 2, rel=0.05)
    assert areas[0] / areas[1] == pytest.approx((168 / 84) ** 2, rel=0.1)  # and the frame's ink
    framed = np.argwhere(np.array_split(coloured(drawn, RED), 3, axis=1)[1])
    height, width = np.ptp(framed, axis=0)
    assert height == pytest.approx(width, abs=2)
    assert height == pytest.approx(areas[2] ** 0.5, rel=0.05)


def test_most_frequent_confusions_come_first_and_right_answers_are_none() -> None:
    counts = np.array([[9, 1, 0], [4, 8, 0], [2, 0, 7]])
    confusion = Confusion(("ant", "bee", "cat"), counts)
    assert confusion.most_frequent(2) == (Confused("bee", "ant", 4), Confused("cat", "ant", 2))
    assert len(confusion.most_frequent(9)) == 3
    assert Confusion(("ant", "bee"), np.eye(2, dtype=np.int64)).most_frequent(9) == ()


def test_an_epoch_is_a_line_for_people() -> None:
    line = str(Epoch(7, 13, 1e-3, 0.51239, 0.8125, 0.625, 0.79949, 12.6))
    assert line == (
        "epoch   7/13  loss 0.512  accuracy 0.812  validation loss 0.625  accuracy 0.799  13 s"
    )
