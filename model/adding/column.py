"""The output of an added label: a linear classifier on the features of places (grid cells).

A still without a box only tells that its label is somewhere in it. The most likely place by the
current weights then counts as positive, and the weights are trained again (multiple-instance
learning: Andrews et al., Support Vector Machines for Multiple-Instance Learning, 2003). The rest is
logistic regression with the examples of all others, and other places of the label's own stills, as
negatives.
"""

from dataclasses import dataclass
from typing import Final

import numpy as np
from numpy.typing import NDArray

from model.adding.views import Views

_ROUNDS: Final = 3
"""Rounds of choosing positives and training; further rounds change almost nothing."""

_HARDEST: Final = 4
"""Hard negatives per scene: the places that score highest without being the label's own."""

_TAUGHT: Final = 2
"""Positives per scene without a box: a figure covers several places."""

_PULL: Final = 0.3
"""Inverse regularisation strength (scikit-learn's C) for features with unit variance."""


@dataclass(frozen=True)
class Column:
    """The output of one label."""

    weights: NDArray[np.float64]
    """(features,)"""
    bias: float
    """Added to each logit."""

    def logits(self, features: NDArray[np.floating]) -> NDArray[np.float64]:
        """Return the logits (...) of features (..., features)."""
        return np.asarray(features, np.float32) @ self.weights + self.bias

    def highest(self, features: NDArray[np.floating]) -> NDArray[np.float64]:
        """Return the highest logit (n,) among the places of pictures (n, places, features)."""
        return np.asarray(self.logits(features).max(axis=1))

    def scaled(self, factor: float, shift: float) -> "Column":
        """Return the column whose logits are factor * (logit + shift)."""
        return Column(factor * self.weights, factor * (self.bias + shift))


def learn_column(
    views: Views, number: int, examples: NDArray[np.float32], somebody: NDArray[np.float32]
) -> Column:
    """Train a label's output.

    Args:
        views: Scenes of its stills, and of those of other added labels.
        number: Number of the label among the added ones.
        examples: (m, places, features) of all others.
        somebody: (n, places) probability of any other label at each place of the scenes: without a
            box, the label is first looked for there.
    """
    labels = views.picture.shape[1] // 2
    right, counts = views.places[..., number], views.places[..., labels + number]
    boxed = (right * counts).max(axis=1) > 0
    unboxed = (views.picture[:, number] * views.picture[:, labels + number] > 0) & ~boxed
    others = examples.reshape(-1, examples.shape[-1])
    scale = 1 / np.maximum(others.std(axis=0), 1e-3)
    logits = np.asarray(somebody, np.float64)
    column = None
    for _ in range(_ROUNDS):
        own = right * counts
        own[unboxed] = _highest(logits[unboxed], _TAUGHT)
        beside = np.where(right > 0, 0.0, counts)
        beside *= _highest(np.where(beside > 0, logits, -np.inf), _HARDEST)
        column = _fitted(views.features, own, beside, others, scale)
        logits = column.logits(views.features)
    assert column is not None
    return column


def _highest(logits: NDArray[np.float64], count: int) -> NDArray[np.float32]:
    """Return (n, places), 1 at the places with the highest logits of each picture."""
    chosen = np.zeros(logits.shape, np.float32)
    best = np.argsort(-logits, axis=1)[:, :count]
    np.put_along_axis(chosen, best, 1.0, axis=1)
    return chosen


def _fitted(
    features: NDArray[np.float16],
    own: NDArray[np.float32],
    beside: NDArray[np.float64],
    others: NDArray[np.float32],
    scale: NDArray[np.float32],
) -> Column:
    """Fit a column to places of the label, hard negatives beside it, and places of others."""
    from sklearn.linear_model import LogisticRegression

    rows = np.concatenate(
        [features[own > 0].astype(np.float32), features[beside > 0].astype(np.float32), others]
    )
    truth = np.zeros(len(rows), np.bool_)
    truth[: int((own > 0).sum())] = True
    weight = np.concatenate([own[own > 0], beside[beside > 0], np.ones(len(others))])
    # balanced classes; the bias is fitted to the label's frequency later
    weight[truth] *= weight[~truth].sum() / max(weight[truth].sum(), 1e-6)
    fitted = LogisticRegression(C=_PULL, max_iter=300)
    weight *= len(others) / weight.sum()
    fitted.fit(rows * scale, truth, sample_weight=weight)
    return Column(fitted.coef_[0] * scale, float(fitted.intercept_[0]))
