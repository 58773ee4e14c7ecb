"""Two recognisers on the same stills, against tables counted by hand."""

from collections.abc import Sequence
from dataclasses import replace

import numpy as np
import pytest

from model.errors import ModelError
from model.evaluation.comparison import Comparison, compare_predictions
from model.evaluation.predictions import STRANGER, Predictions


def said(answers: str, truth: str, labels: Sequence[str]) -> Predictions:
    """Answers by the labels' first letters; `u` is unknown, `-` a stranger to these labels."""
    letters = [label[0] for label in labels]
    numbers = [letters.index(letter) for letter in answers]
    confidences = np.full((len(answers), len(labels)), 0.1)
    confidences[np.arange(len(answers)), numbers] = 0.8
    truths = [STRANGER if letter == "-" else letters.index(letter) for letter in truth]
    return Predictions(tuple(labels), np.array(truths, np.int64), confidences)


FRUIT = ("apple", "berry", "cherry")

# still   0  1  2  3  4  5  6  7
# truth   a  a  a  b  b  b  c  c
# first   a  a  b  b  b  a  c  c     right: 0 1 3 4 6 7
# second  a  a  a  b  c  b  c  b     right: 0 1 2 3 5 6
TRUTH, FIRST, SECOND = "aaabbbcc", "aabbbacc", "aaabcbcb"


def compared() -> Comparison:
    return compare_predictions(said(FIRST, TRUTH, FRUIT), said(SECOND, TRUTH, FRUIT))


def test_gained_and_lost_stills_are_those_that_only_one_answers_right() -> None:
    found = compared()
    gained = [
        (item.index, item.truth, item.first_answer, item.second_answer) for item in found.gained
    ]
    lost = [(item.index, item.truth, item.first_answer, item.second_answer) for item in found.lost]
    assert gained == [(2, "apple", "berry", "apple"), (5, "berry", "apple", "berry")]
    assert lost == [(4, "berry", "berry", "cherry"), (7, "cherry", "cherry", "berry")]


def test_f1_of_each_label_stands_side_by_side() -> None:
    # F1 = 2 right / (called so + are so)
    labels = compared().labels
    assert [(item.label, item.stills) for item in labels] == [
        ("apple", 3),
        ("berry", 3),
        ("cherry", 2),
    ]
    assert [item.first_f1 for item in labels] == pytest.approx([4 / 6, 4 / 6, 4 / 4])
    assert [item.second_f1 for item in labels] == pytest.approx([6 / 6, 4 / 6, 2 / 4])
    assert [(item.gained, item.lost) for item in labels] == [(1, 0), (1, 1), (0, 1)]
    assert [item.difference for item in labels] == pytest.approx([2 / 6, 0, -0.5])


def test_accuracy_and_macro_f1_are_of_each() -> None:
    found = compared()
    assert found.first.score.accuracy == found.second.score.accuracy == 6 / 8
    assert found.first.score.macro_f1 == pytest.approx((4 / 6 + 4 / 6 + 1) / 3)
    assert found.second.score.macro_f1 == pytest.approx((1 + 4 / 6 + 2 / 4) / 3)


def test_labels_are_compared_by_name_whatever_their_order_and_number() -> None:
    others = ("cherry", "date", "berry", "apple")
    found = compare_predictions(said(FIRST, TRUTH, FRUIT), said(SECOND, TRUTH, others))
    assert found.labels == compared().labels
    assert (found.gained, found.lost) == (compared().gained, compared().lost)


def test_strangers_are_no_gain_over_a_model_that_cannot_say_unknown() -> None:
    first = said("abab", "ab--", FRUIT)
    second = said("abua", "abuu", (*FRUIT, "unknown"))
    found = compare_predictions(first, second)
    assert (found.gained, found.lost, found.chance) == ((), (), 1.0)
    [row] = [item for item in found.labels if item.label == "unknown"]
    assert (row.stills, row.first_f1, row.second_f1, row.difference) == (2, None, None, None)
    assert (row.gained, row.lost) == (0, 0)
    assert found.first.score.accuracy == found.second.score.accuracy == 1
    assert found.first.unknown is not None
    assert found.second.unknown is not None
    assert found.first.unknown.stills == found.second.unknown.stills == 2
    turned = compare_predictions(second, first)
    assert (turned.gained, turned.lost, turned.chance) == ((), (), 1.0)


def test_strangers_are_gained_and_lost_between_models_that_both_can_say_unknown() -> None:
    labels = (*FRUIT, "unknown")
    found = compare_predictions(said("abau", "abuu", labels), said("abua", "abuu", labels))
    gained = [(item.index, item.truth, item.first_answer) for item in found.gained]
    lost = [(item.index, item.truth, item.second_answer) for item in found.lost]
    assert (gained, lost) == ([(2, "unknown", "apple")], [(3, "unknown", "apple")])
    [row] = [item for item in found.labels if item.label == "unknown"]
    assert (row.stills, row.gained, row.lost) == (2, 1, 1)


def test_a_model_compared_with_itself_gains_and_loses_nothing() -> None:
    found = compare_predictions(said(FIRST, TRUTH, FRUIT), said(FIRST, TRUTH, FRUIT))
    assert (found.gained, found.lost, found.chance) == ((), (), 1.0)


# p-values of scipy.stats.binomtest(gained, gained + lost)
CHANCES = [
    (1, 0, 1.0),
    (5, 5, 1.0),
    (9, 2, 0.0654297),
    (2, 9, 0.0654297),
    (60, 31, 0.00311269),
    (0, 12, 0.000488281),
]


@pytest.mark.parametrize(("gained", "lost", "chance"), CHANCES)
def test_chance_is_that_of_a_fair_coin(gained: int, lost: int, chance: float) -> None:
    truth = "a" * (gained + lost)
    first, second = "b" * gained + "a" * lost, "a" * gained + "b" * lost
    found = compare_predictions(said(first, truth, FRUIT), said(second, truth, FRUIT))
    assert found.chance == pytest.approx(chance)


def test_answers_to_other_stills_are_refused() -> None:
    with pytest.raises(ModelError, match="same dataset"):
        compare_predictions(said("ab", "ab", FRUIT), said("ab", "aa", FRUIT))
    with pytest.raises(ModelError, match="same dataset"):
        compare_predictions(said("ab", "ab", FRUIT), said("a", "a", FRUIT))


def test_still_of_two_labels_is_lost_only_by_an_answer_that_is_neither() -> None:
    """An apple with a berry beside it, and a berry alone: each names the first otherwise."""
    shown = np.array([[True, True, False], [False, True, False]])
    first, second, third = (
        replace(said(answers, "ab", FRUIT), shown=shown) for answers in ("ab", "bb", "cb")
    )
    found = compare_predictions(first, second)
    assert (found.gained, found.lost) == ((), ())
    rows = [(row.label, row.stills, row.first_f1, row.second_f1) for row in found.labels]
    # for the second there is no still that counts as an apple
    assert rows == [("apple", 1, 1, None), ("berry", 1, 1, 1)]
    [lost] = compare_predictions(first, third).lost
    assert (lost.index, lost.second_answer) == (0, "cherry")
