"""Thresholds of an added label, by hand."""

import numpy as np

from model.adding.learning import thresholds_of_added

GENERAL = (0.5, 0.3)


def test_label_takes_the_thresholds_of_the_others_where_they_do() -> None:
    own, others = np.full(100, 0.9), np.full(600, 0.2)
    assert thresholds_of_added(own, others, GENERAL) == GENERAL


def test_label_that_is_seen_in_others_gets_a_higher_onset_and_offset() -> None:
    # 19 in 20 are others: each of the 600 stands for 3.2, so that 12 above an onset are 28 % false
    own = np.linspace(0.6, 0.99, 100)
    others = np.concatenate([np.full(588, 0.1), np.full(12, 0.7)])
    assert thresholds_of_added(own, others, GENERAL) == (0.71, 0.51)


def test_few_others_are_chance() -> None:
    # one in 600: 3.2 of 103 are false, and no more than that is said
    own, others = np.full(100, 0.9), np.append(np.full(599, 0.1), 0.95)
    assert thresholds_of_added(own, others, GENERAL) == GENERAL


def test_label_that_nobody_tells_apart_is_hardly_ever_said() -> None:
    own, others = np.full(100, 0.6), np.full(600, 0.995)
    assert thresholds_of_added(own, others, GENERAL) == (0.99, 0.99)
