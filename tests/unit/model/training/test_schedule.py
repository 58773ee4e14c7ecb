"""Learning rate, side and order of an epoch, against tables worked out by hand."""

from collections import Counter
from dataclasses import replace

import numpy as np
import pytest

from model.pictures.preprocess import FINE
from model.recipe import BASELINE, REGIONAL
from model.training.schedule import epoch_order, learning_rate, shown_per_epoch, side_at

RISING = replace(
    BASELINE, epochs=10, learning_rate=0.8, final_learning_rate=0.2, warm_up_epochs=2.0
)


@pytest.mark.parametrize(
    ("done_epochs", "expected"),
    [
        (0.0, 0.02),  # as after a twentieth of an epoch
        (0.5, 0.2),
        (1.0, 0.4),
        (2.0, 0.8),  # the highest
        (4.0, 0.712132),  # 0.2 + 0.6 (1 + cos 45) / 2
        (6.0, 0.5),  # the middle
        (8.0, 0.287868),
        (10.0, 0.2),
    ],
)
def test_learning_rate_rises_in_a_line_and_falls_along_half_a_cosine(
    done_epochs: float, expected: float
) -> None:
    assert learning_rate(RISING, done_epochs) == pytest.approx(expected, abs=1e-6)


def test_learning_rate_of_the_task_never_changes() -> None:
    assert {learning_rate(BASELINE, done / 10) for done in range(131)} == {0.001}


def test_training_that_only_warms_up_reaches_the_highest_rate() -> None:
    recipe = replace(RISING, epochs=2)
    assert learning_rate(recipe, 1.0) == pytest.approx(0.4)
    assert learning_rate(recipe, 2.0) == pytest.approx(0.8)


def test_side_grows_in_steps_over_three_fifths_of_the_epochs() -> None:
    growing = replace(REGIONAL, preprocessing=FINE.name, first_side=64, epochs=40)
    sides = [side_at(growing, number) for number in range(1, 41)]
    assert sides == [64] * 12 + [80] * 12 + [96] * 16


def test_side_without_a_first_one_is_the_preprocessings() -> None:
    assert {side_at(BASELINE, number) for number in (1, 7, 13)} == {64}
    assert side_at(replace(BASELINE, preprocessing=FINE.name), 1) == 96


@pytest.mark.parametrize(
    ("label_floor", "unknown_share", "expected"),
    [
        (0.0, 0.0, [100, 20, 60, 0, 400]),
        (0.5, 0.0, [100, 30, 60, 0, 400]),  # half of the average of 60
        (1.0, 0.0, [100, 60, 60, 0, 400]),
        (0.0, 0.2, [100, 20, 60, 0, 45]),  # 45 of 225
        (0.5, 0.2, [100, 30, 60, 0, 48]),  # 47.5 would be a fifth
    ],
)
def test_floor_and_share_decide_how_many_stills_are_shown(
    label_floor: float, unknown_share: float, expected: list[int]
) -> None:
    labels = ("apple", "birch", "cedar", "daisy", "unknown")  # of daisy there is none
    recipe = replace(BASELINE, label_floor=label_floor, unknown_share=unknown_share)
    counts = np.array([100, 20, 60, 0, 400], np.int64)
    assert shown_per_epoch(counts, labels, recipe).tolist() == expected
    assert counts.tolist() == [100, 20, 60, 0, 400]


@pytest.mark.parametrize(
    ("least", "expected"),
    [(0, [10, 20, 0, 8]), (38, [10, 20, 0, 8]), (76, [20, 40, 0, 16]), (50, [14, 27, 0, 11])],
)
def test_few_stills_are_shown_more_often(least: int, expected: list[int]) -> None:
    labels = ("apple", "birch", "cedar", "unknown")
    recipe = replace(BASELINE, unknown_share=0.2, least_shown=least)
    counts = np.array([10, 20, 0, 400], np.int64)
    assert shown_per_epoch(counts, labels, recipe).tolist() == expected


def test_without_stills_nothing_is_shown() -> None:
    recipe = replace(BASELINE, least_shown=100)
    assert shown_per_epoch(np.zeros(2, np.int64), ("apple", "unknown"), recipe).tolist() == [0, 0]


def test_stills_of_a_label_are_shown_equally_often_give_or_take_once() -> None:
    labels = ("apple", "birch", "unknown")
    numbers = np.repeat(np.arange(3), [43, 7, 90])
    recipe = replace(BASELINE, label_floor=0.68, unknown_share=0.25)
    order = epoch_order(numbers, labels, recipe, np.random.default_rng(0))
    times = Counter(order.tolist())
    # 17 = 0.68 x 25 of birch, and of unknown 20: a quarter of 43 + 17 + 20
    assert [times[index] for index in range(43)] == [1] * 43
    assert sorted(times[index] for index in range(43, 50)) == [2, 2, 2, 2, 3, 3, 3]
    assert sorted(times[index] for index in range(50, 140)) == [0] * 70 + [1] * 20
    assert len(order) == 80


def test_order_follows_the_source_of_chance_and_mixes_the_labels() -> None:
    numbers = np.repeat(np.arange(2), 50)
    first, again, other = (
        epoch_order(numbers, ("apple", "birch"), BASELINE, np.random.default_rng(seed))
        for seed in (1, 1, 2)
    )
    np.testing.assert_array_equal(first, again)
    assert not np.array_equal(first, other)
    assert 10 < numbers[first[:50]].sum() < 40
