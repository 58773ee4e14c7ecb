"""Temperature and thresholds, against tables worked out by hand and against scikit-learn."""

from typing import Any

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from hypothesis.extra.numpy import arrays
from numpy.typing import NDArray

from model.inference.confidence import (
    Thresholds,
    choose_thresholds,
    fit_logistic,
    fit_temperature,
    micro_f1,
    on_screen,
    sigmoid,
    softmax,
)


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


def sequence(*stretches: tuple[int, tuple[float, ...], tuple[bool, ...]]) -> tuple[Any, Any]:
    """Confidences and truth of so many frames each."""
    counts = [count for count, _, _ in stretches]
    confidences = np.repeat([each for _, each, _ in stretches], counts, axis=0)
    return confidences, np.repeat([each for _, _, each in stretches], counts, axis=0)


@given(
    arrays(np.float64, (40, 2), elements=st.floats(0, 1)),
    st.floats(0.01, 1),
    st.floats(0.01, 1),
)
@settings(deadline=None)
def test_on_screen_is_from_the_onset_until_the_offset_is_not_reached(
    confidences: NDArray[np.float64], first: float, second: float
) -> None:
    """As worked out frame by frame."""
    pair = Thresholds(max(first, second), min(first, second))
    found = on_screen(confidences, pair)
    for label in range(2):
        is_on = False
        for frame, confidence in enumerate(confidences[:, label]):
            is_on = confidence >= (pair.offset if is_on else pair.onset)
            assert found[frame, label] == is_on


def test_thresholds_of_all_labels_bridge_doubtful_frames_and_leave_strangers_out() -> None:
    confidences, truth = sequence(
        (20, (0.905, 0.05), (True, False)),
        (20, (0.605, 0.05), (True, False)),  # goes on, though in doubt
        (20, (0.405, 0.05), (False, False)),  # a stranger after the cut
        (20, (0.05, 0.705), (False, False)),  # another, taken for the second label
        (20, (0.05, 0.905), (False, True)),
    )
    general, own = choose_thresholds(
        confidences, truth, max_stranger_share=1, max_false_share=0.0, shot_frames=1
    )
    assert 0.705 < general.onset <= 0.905
    assert 0.405 < general.offset <= 0.605
    for pair in (general, *own):
        assert pair.onset >= general.onset
    found = np.stack([on_screen(confidences, pair)[:, i] for i, pair in enumerate(own)], axis=1)
    np.testing.assert_array_equal(found, truth)


def test_a_label_that_is_often_mistaken_gets_an_onset_of_its_own() -> None:
    confidences, truth = sequence(
        (900, (0.505, 0.05), (True, False)),  # the many of the first decide on all
        (40, (0.05, 0.655), (False, False)),
        (20, (0.05, 0.855), (False, True)),
    )
    general, (first, second) = choose_thresholds(
        confidences, truth, max_stranger_share=1, max_false_share=0.05, shot_frames=1
    )
    assert general.onset <= first.onset <= 0.505
    assert 0.655 < second.onset <= 0.855


@pytest.mark.parametrize(
    ("max_false_share", "shot_frames", "trusted"),
    [
        (0.035, 1, True),  # 0.035 * 52 and once sqrt(0.035 * 0.965 * 52) are 3.1
        (0.030, 1, False),  # 2.8
        (0.020, 6, True),  # sqrt(0.02 * 0.98 * 52 * 6) more than 0.02 * 52: 3.5
        (0.015, 6, False),  # 2.9
    ],
)
def test_no_more_frames_may_be_false_than_is_allowed_and_chance_makes(
    max_false_share: float, shot_frames: int, trusted: bool
) -> None:
    confidences, truth = sequence(
        (1000, (0.355, 0.05), (True, False)),
        (49, (0.05, 0.905), (False, True)),
        (1, (0.05, 0.05), (False, False)),
        (3, (0.05, 0.905), (False, False)),
    )
    general, (_, second) = choose_thresholds(
        confidences,
        truth,
        max_stranger_share=1,
        max_false_share=max_false_share,
        shot_frames=shot_frames,
    )
    assert second == (general if trusted else Thresholds(0.99, 0.99))


@pytest.mark.parametrize(
    ("max_stranger_share", "lowest", "highest"), [(0.5, 0.1, 0.505), (0.4, 0.61, 0.705)]
)
def test_no_more_strangers_are_taken_for_somebody_than_is_allowed(
    max_stranger_share: float, lowest: float, highest: float
) -> None:
    confidences, truth = sequence(
        (30, (0.505, 0.05), (True, False)),
        (10, (0.05, 0.705), (False, True)),
        (5, (0.605, 0.05), (False, False)),  # a stranger, surer than most of the known
        (5, (0.05, 0.05), (False, False)),
    )
    general, _ = choose_thresholds(
        confidences,
        truth,
        max_stranger_share=max_stranger_share,
        max_false_share=1,
        shot_frames=1,
    )
    assert lowest <= general.onset <= highest
    found = on_screen(confidences, general)[-10:].any(axis=1)
    assert found.mean() <= max_stranger_share


def test_where_strangers_cannot_be_told_the_fewest_are_taken_for_somebody() -> None:
    confidences, truth = sequence(
        (30, (0.505, 0.05), (True, False)),
        (8, (0.9999, 0.05), (False, False)),
        (2, (0.505, 0.05), (False, False)),
    )
    general, _ = choose_thresholds(
        confidences, truth, max_stranger_share=0.1, max_false_share=1, shot_frames=1
    )
    assert general.onset > 0.505


def test_a_label_keeps_the_thresholds_of_all_though_others_would_suit_it_better() -> None:
    confidences, truth = sequence(
        (900, (0.505, 0.05), (True, False)),
        (1, (0.05, 0.655), (False, False)),
        (100, (0.05, 0.855), (False, True)),
    )
    general, own = choose_thresholds(
        confidences, truth, max_stranger_share=1, max_false_share=0.05, shot_frames=1
    )
    assert general.onset < 0.655
    assert own == [general, general]


def test_a_label_that_is_never_trusted_or_never_there_gets_the_highest_thresholds() -> None:
    confidences, truth = sequence((10, (0.6, 1.0, 0.05), (True, False, False)))
    _, (_, second, third) = choose_thresholds(
        confidences, truth, max_stranger_share=1, max_false_share=0, shot_frames=1
    )
    assert second == third == Thresholds(0.99, 0.99)


@given(arrays(np.float64, (30, 3), elements=st.floats(0, 1)), arrays(np.bool_, (30, 3)))
@settings(max_examples=10)
def test_chosen_thresholds_are_in_order_and_keep_what_was_asked(
    confidences: NDArray[np.float64], truth: NDArray[np.bool_]
) -> None:
    general, own = choose_thresholds(
        confidences, truth, max_stranger_share=0.1, max_false_share=0.2, shot_frames=1
    )
    assert 0 < general.offset <= general.onset < 1
    for label, pair in enumerate(own):
        assert 0 < pair.offset <= pair.onset < 1
        found = on_screen(confidences, pair)[:, label]
        if pair != Thresholds(0.99, 0.99):
            chance = np.sqrt(0.2 * 0.8 * found.sum())
            assert (found & ~truth[:, label]).sum() <= 0.2 * found.sum() + chance


def test_micro_f1_agrees_with_scikit_learn_and_is_zero_without_pairs() -> None:
    from sklearn.metrics import f1_score

    rng = np.random.default_rng(2)
    found, truth = rng.random((2, 200, 6)) < 0.3
    assert micro_f1(found, truth) == pytest.approx(f1_score(truth, found, average="micro"))
    assert micro_f1(np.zeros((3, 2), np.bool_), np.zeros((3, 2), np.bool_)) == 0


def test_sigmoid_agrees_with_numbers_worked_out_by_hand_and_overflows_nowhere() -> None:
    found = sigmoid(np.array([0.0, np.log(3), -np.log(3), 1e4, -1e4]))
    np.testing.assert_allclose(found, [0.5, 0.75, 0.25, 1, 0])


@pytest.mark.parametrize(("slope", "shift"), [(0.5, 1.0), (2.0, -3.0), (1.0, 0.0)])
def test_logistic_fit_agrees_with_scikit_learn_without_penalty(slope: float, shift: float) -> None:
    from sklearn.linear_model import LogisticRegression

    rng = np.random.default_rng(3)
    logits = 2 * rng.normal(size=40_000)
    truth = rng.random(40_000) < sigmoid(slope * logits + shift)
    theirs = LogisticRegression(C=np.inf, tol=1e-8).fit(logits[:, None], truth)
    found = fit_logistic(logits, truth)
    assert found == pytest.approx((theirs.coef_[0, 0], theirs.intercept_[0]), rel=2e-3, abs=2e-3)
    assert found == pytest.approx((slope, shift), abs=0.1)


def test_logistic_fit_of_what_is_told_apart_without_fail_is_finite() -> None:
    logits = np.linspace(-3, 3, 1000)
    slope, shift = fit_logistic(logits, logits > 0)
    assert 1 < slope <= 50
    assert shift == pytest.approx(0, abs=0.1)


def test_logistic_fit_never_turns_the_order_of_logits_round() -> None:
    logits = np.random.default_rng(4).normal(size=1000)
    slope, _ = fit_logistic(logits, logits < 0)
    assert slope == 1 / 50
