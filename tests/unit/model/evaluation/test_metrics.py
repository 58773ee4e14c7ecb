"""Accuracy and F1, against scikit-learn."""

import numpy as np
import pytest

from model.evaluation.metrics import score


def test_scores_agree_with_scikit_learn() -> None:
    from sklearn.metrics import accuracy_score, f1_score, precision_recall_fscore_support

    rng = np.random.default_rng(1)
    truth = rng.integers(0, 4, 500)
    answers = np.where(rng.random(500) < 0.6, truth, rng.integers(0, 3, 500))
    found = score(answers, truth, ("a", "b", "c", "d"))
    assert found.accuracy == pytest.approx(accuracy_score(truth, answers))
    assert found.macro_f1 == pytest.approx(f1_score(truth, answers, average="macro"))
    precision, recall, f1, support = precision_recall_fscore_support(truth, answers)
    for row, expected in zip(
        found.per_label, zip(precision, recall, f1, support, strict=True), strict=True
    ):
        assert (row.precision, row.recall, row.f1, row.stills) == pytest.approx(expected)
