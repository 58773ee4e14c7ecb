"""Figures of answers, against tables counted by hand."""

import numpy as np
import pytest

from model.errors import ModelError
from model.evaluation.metrics import known_scores, reliability, score, unknown_score
from model.evaluation.predictions import (
    STRANGER,
    Overfitting,
    Predictions,
    confusion_of,
    figures_of,
    worst_mistakes,
)

LABELS = ("ant", "bee", "cow", "unknown")

# truth         ant ant ant ant bee bee unknown unknown
# said          ant ant bee unk bee ant unknown bee
TRUTH = np.array([0, 0, 0, 0, 1, 1, 3, 3])
SAID = np.array([0, 0, 1, 3, 1, 0, 3, 1])
SURE = np.array([0.9, 0.6, 0.7, 0.5, 0.8, 0.95, 0.55, 0.65])


def answers(labels: tuple[str, ...] = LABELS, strangers: bool = False) -> Predictions:
    """The table above, each answer as sure as SURE says and the rest shared evenly."""
    rest = (1 - SURE) / (len(labels) - 1)
    confidences = np.repeat(rest[:, None], len(labels), axis=1)
    confidences[np.arange(len(SAID)), SAID] = SURE
    truth = np.where(TRUTH == 3, STRANGER, TRUTH) if strangers else TRUTH
    return Predictions(labels, truth.astype(np.int64), confidences)


def test_score_is_of_known_labels_and_unknown_is_a_wrong_answer_there() -> None:
    found = score(SAID, TRUTH, LABELS)
    assert found.accuracy == 3 / 6
    rows = [(row.label, row.stills) for row in found.per_label]
    assert rows == [("ant", 4), ("bee", 2)]  # no still shows a cow
    ant, bee = found.per_label
    # of the six, three are called ant, two of them rightly; two are called bee, one rightly
    assert (ant.precision, ant.recall) == pytest.approx((2 / 3, 2 / 4))
    assert (bee.precision, bee.recall) == pytest.approx((1 / 2, 1 / 2))
    assert ant.f1 == pytest.approx(4 / 7)
    assert found.macro_f1 == pytest.approx((4 / 7 + 1 / 2) / 2)


def test_score_of_no_known_still_is_zero() -> None:
    found = score(np.array([0]), np.array([3]), LABELS)
    assert (found.accuracy, found.macro_f1, found.per_label) == (0.0, 0.0, ())


def test_calibration_error_weighs_the_bins_by_their_stills() -> None:
    # the bins of fifteenths: (0.733, 0.8] holds 4, of which 1 is right; the last holds 1, right
    confidences = np.array([0.75, 0.75, 0.80, 0.78, 1.0])
    found = reliability(confidences, np.array([True, False, False, False, True]))
    assert found.error == pytest.approx((4 * abs(0.77 - 0.25) + 1 * 0.0) / 5)
    assert found.stills == 5
    assert [(row.stills, row.accuracy) for row in found.bins if row.stills] == [(4, 0.25), (1, 1.0)]
    assert len(found.bins) == 15


def test_confidences_that_are_kept_have_no_calibration_error() -> None:
    rng = np.random.default_rng(0)
    confidences = rng.random(200_000)
    found = reliability(confidences, rng.random(200_000) < confidences)
    assert found.error < 0.01
    assert reliability(np.empty(0), np.empty(0, np.bool_)).error == 0


def test_auroc_counts_pairs_and_false_positives_are_those_at_95_percent_recall() -> None:
    # 0.9 beats both; 0.8, 0.7 and 0.6 beat 0.5 alone: 5 of 8 pairs
    found = unknown_score(np.array([0.9, 0.8, 0.7, 0.6]), np.array([0.85, 0.5]))
    assert found is not None
    assert found.auroc == pytest.approx(5 / 8)
    assert (found.threshold, found.false_positive_rate, found.stills) == (0.6, 0.5, 2)


def test_one_known_still_in_twenty_may_be_lost() -> None:
    known = np.array([0.01, *np.linspace(0.4, 0.9, 19)])
    found = unknown_score(known, np.array([0.45, 0.3, 0.2, 0.39]))
    assert found is not None
    assert found.threshold == pytest.approx(0.4)
    assert found.false_positive_rate == 0.25


def test_without_strangers_there_is_no_unknown_score() -> None:
    assert unknown_score(np.array([0.5]), np.empty(0)) is None


def test_known_score_is_the_largest_confidence_of_a_label_that_can_be_a_tag() -> None:
    confidences = np.array([[0.1, 0.2, 0.1, 0.6], [0.7, 0.1, 0.1, 0.1]])
    np.testing.assert_array_equal(known_scores(confidences, LABELS), [0.2, 0.7])


@pytest.mark.parametrize("strangers", [False, True])
def test_figures_measure_strangers_whether_or_not_there_is_an_output_for_them(
    strangers: bool,
) -> None:
    found = figures_of(answers(strangers=strangers))
    assert found.score.accuracy == answers().accuracy == 3 / 6
    assert found.unknown is not None
    # known stills score 0.9 0.6 0.7 0.167 0.8 0.95, strangers 0.15 and 0.65: 6 + 4 of 12 pairs
    assert found.unknown.auroc == pytest.approx(10 / 12)
    assert found.unknown.stills == 2
    # what cannot be answered right says nothing about confidences
    assert found.reliability.stills == (6 if strangers else 8)


def test_confusion_has_a_row_for_strangers_that_have_no_output() -> None:
    labels = ("ant", "bee", "cow", "dog")
    found = confusion_of(answers(labels, strangers=True))
    assert found.labels == (*labels, "unknown")
    np.testing.assert_array_equal(
        found.counts,
        [[2, 1, 0, 1, 0], [1, 1, 0, 0, 0], [0] * 5, [0] * 5, [0, 1, 0, 1, 0]],
    )
    np.testing.assert_allclose(found.shares[0], [0.5, 0.25, 0, 0.25, 0])
    assert not found.shares[2].any()


def test_worst_mistakes_are_the_surest_and_strangers_without_an_output_are_none() -> None:
    # wrong are 2 (0.7), 3 (0.5), 5 (0.95) and 7 (0.65), which is a stranger
    assert worst_mistakes(answers(), 3).tolist() == [5, 2, 7]
    assert worst_mistakes(answers(strangers=True), 36).tolist() == [5, 2, 3]


def test_overfitting_is_train_minus_validation() -> None:
    assert Overfitting(0.984, 0.882).difference == pytest.approx(0.102)


@pytest.mark.parametrize(
    ("truth", "columns", "what"), [([0, 9], 4, "truth"), ([0, 1], 3, "confidences")]
)
def test_answers_that_do_not_fit_together_are_refused(
    truth: list[int], columns: int, what: str
) -> None:
    with pytest.raises(ModelError, match=what):
        Predictions(LABELS, np.array(truth), np.full((2, columns), 0.25))


def test_still_of_several_labels_is_answered_right_by_any_of_them() -> None:
    """Seven stills; what is counted is worked out by hand."""
    # main       ant ant ant bee bee cow unknown
    # besides    bee bee     ant     bee ant
    # said       bee ant bee ant cow unk unknown
    truth, said = np.array([0, 0, 0, 1, 1, 2, 3]), np.array([1, 0, 1, 0, 2, 3, 3])
    shown = np.zeros((7, 4), np.bool_)
    shown[range(7), truth] = True
    shown[[0, 1, 5], 1] = shown[[3, 6], 0] = True
    confidences = np.full((7, 4), 0.1)
    confidences[range(7), said] = 0.7
    found = Predictions(LABELS, truth, confidences, shown)
    assert found.right.tolist() == [True, True, False, True, False, False, True]
    # a wrong answer counts against the main label
    assert found.counted.tolist() == [1, 0, 0, 0, 1, 2, 3]
    assert found.accuracy == 3 / 6
    figures = figures_of(found)
    rows = {row.label: (row.stills, row.precision, row.recall) for row in figures.score.per_label}
    assert rows == {
        # said of the second and the fourth, rightly; the third is one, too
        "ant": (3, 1, pytest.approx(2 / 3)),
        "bee": (2, 1 / 2, 1 / 2),
        "cow": (1, 0, 0),
    }
    assert figures.confusion.counts.tolist() == [
        [2, 1, 0, 0],
        [0, 1, 1, 0],
        [0, 0, 0, 1],
        [0, 0, 0, 1],
    ]
    assert sorted(worst_mistakes(found, 9).tolist()) == [2, 4, 5]
    assert figures.reliability.error == pytest.approx(abs(4 / 7 - 0.7))


def test_who_is_shown_fits_the_answers() -> None:
    with pytest.raises(ModelError, match="shown is"):
        Predictions(LABELS, TRUTH, answers().confidences, np.zeros((8, 3), np.bool_))
