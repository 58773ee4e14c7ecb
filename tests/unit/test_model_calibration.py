"""Temperature and thresholds, against tables worked out by hand and against scikit-learn."""

import numpy as np
import pytest
from numpy.typing import NDArray

from model.calibration import Thresholds, choose_thresholds, fit_temperature, micro_f1, softmax


def test_softmax_agrees_with_numbers_worked_out_by_hand() -> None:
    logits = np.log([[1.0, 2.0, 5.0], [1.0, 1.0, 2.0]]) + 700  # the shift must not overflow
    np.testing.assert_allclose(softmax(logits), [[0.125, 0.25, 0.625], [0.25, 0.25, 0.5]])


def test_softmax_leaves_nothing_to_a_hidden_label() -> None:
    np.testing.assert_allclose(softmax(np.array([[-np.inf, 0.0, 0.0]])), [[0, 0.5, 0.5]])


@pytest.mark.parametrize("overconfidence", [0.5, 1.0, 3.0])
def test_fitted_temperature_undoes_overconfidence(overconfidence: float) -> None:
    rng = np.random.default_rng(0)
    logits = rng.normal(0, 2, (20_000, 5))
    # labels drawn by the Gumbel trick, so that softmax(logits) is exactly calibrated
    labels = (logits + rng.gumbel(size=logits.shape)).argmax(axis=1)
    assert fit_temperature(logits * overconfidence, labels) == pytest.approx(
        overconfidence, rel=0.04
    )


def made_up() -> tuple[NDArray[np.float64], NDArray[np.bool_]]:
    """A hundred frames: the first label in half of them, the second one never, yet often said."""
    truth = np.zeros((100, 2), np.bool_)
    truth[:50, 0] = True
    confidences = np.full((100, 2), 0.05)
    confidences[:50, 0] = 0.75  # all that is true
    confidences[:2, 1] = 0.655  # 2 false of 50 frames with someone else: 4 %
    confidences[2:10, 1] = 0.355  # 8 more, 20 %
    confidences[50:, 1] = 0.455  # false too, but with nobody there
    return confidences, truth


def test_general_onset_is_where_micro_f1_is_highest_and_offset_where_false_tags_are_few() -> None:
    general, _ = choose_thresholds(*made_up(), max_false_share=0.02, max_false_rate=0.05)
    # of 150 times that a label is absent, 0.455 is reached in 52, and 0.655 in 2
    assert general == Thresholds(0.66, 0.46)


def test_a_label_that_is_often_mistaken_gets_an_onset_of_its_own() -> None:
    confidences, truth = made_up()
    confidences[:50, 0] = 0.655
    truth[98:, 1] = True  # twice the second is there indeed
    confidences[98:, 1] = 0.85
    confidences[90:94, 1] = 0.705  # four times someone unknown is taken for it
    general, (first, second) = choose_thresholds(
        confidences, truth, max_false_share=0.02, max_false_rate=0.05
    )
    # above the 44 that are false at 0.455, below the 50 that are true at 0.655
    assert general.onset == first.onset == 0.46
    # at 0.70 four of six are false, at 0.71 none of two
    assert second.onset == 0.71
    # of the 98 frames without it, 6 reach 0.655, and the 4 with the unknown one 0.705
    assert second.offset == 0.66


def test_as_many_frames_may_be_false_as_is_allowed() -> None:
    truth = np.zeros((1050, 2), np.bool_)
    truth[:49, 1] = True
    truth[50:, 0] = True
    confidences = np.where(truth, [0.355, 0.905], 0.05)
    confidences[49, 1] = 0.855  # one of 50 that reach it
    for share, onset in ((0.02, 0.1), (0.019, 0.86)):
        general, own = choose_thresholds(
            confidences, truth, max_false_share=share, max_false_rate=0.0
        )
        assert general.onset == own[0].onset == 0.1  # the many of the first decide
        assert own[1].onset == onset


def test_a_label_that_is_never_trusted_gets_the_highest_onset() -> None:
    truth = np.zeros((10, 2), np.bool_)
    truth[:, 0] = True
    confidences = np.tile([0.6, 1.0], (10, 1))
    _, (_, second) = choose_thresholds(confidences, truth, max_false_share=0, max_false_rate=0)
    assert second == Thresholds(0.99, 0.99)


def test_offset_is_never_above_the_onset() -> None:
    truth = np.array([[True, False]] * 10)
    confidences = np.array([[0.5, 0.9]] * 2 + [[0.5, 0.2]] * 8)
    general, own = choose_thresholds(confidences, truth, max_false_share=0.02, max_false_rate=0.0)
    assert general.offset <= general.onset <= 0.5
    assert all(one.offset <= one.onset for one in own)


def test_micro_f1_agrees_with_scikit_learn_and_is_zero_without_pairs() -> None:
    from sklearn.metrics import f1_score

    rng = np.random.default_rng(2)
    found, truth = rng.random((2, 200, 6)) < 0.3
    assert micro_f1(found, truth) == pytest.approx(f1_score(truth, found, average="micro"))
    assert micro_f1(np.zeros((3, 2), np.bool_), np.zeros((3, 2), np.bool_)) == 0
