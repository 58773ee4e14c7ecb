"""How well labels were told apart, counted."""

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray


@dataclass(frozen=True)
class LabelScore:
    """One label's counts on some stills."""

    label: str
    stills: int
    """That have the label."""
    precision: float
    """Share of the stills called so that are so; 0 if none was called so."""
    recall: float
    """Share of the stills that are so that were called so."""
    f1: float
    """Harmonic mean of both; 0 if both are 0."""


@dataclass(frozen=True)
class Score:
    """A network's answers on some stills."""

    accuracy: float
    macro_f1: float
    """Mean of the labels' F1, each label counting alike."""
    per_label: tuple[LabelScore, ...]


def score(
    answers: NDArray[np.integer], truth: NDArray[np.integer], labels: tuple[str, ...]
) -> Score:
    """Count a network's answers.

    Args:
        answers: (n,) the most likely label's number.
        truth: (n,) the right label's number; every label occurs.
        labels: by number.
    """
    confusion = np.zeros((len(labels), len(labels)), np.int64)
    np.add.at(confusion, (truth, answers), 1)
    right, actual, called = np.diag(confusion), confusion.sum(axis=1), confusion.sum(axis=0)
    precision, recall = right / np.maximum(called, 1), right / np.maximum(actual, 1)
    f1 = 2 * right / np.maximum(actual + called, 1)
    per_label = tuple(
        LabelScore(label, int(actual[n]), float(precision[n]), float(recall[n]), float(f1[n]))
        for n, label in enumerate(labels)
    )
    return Score(float(right.sum() / max(len(truth), 1)), float(f1.mean()), per_label)
