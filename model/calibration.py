"""Confidences that mean what they say, and the thresholds that follow from them."""

from dataclasses import dataclass
from typing import Final

import numpy as np
from numpy.typing import NDArray

_TEMPERATURES: Final = np.geomspace(0.25, 8.0, 241)
# Steps of 1.5 %: far below what a temperature does to a confidence that is read to two digits.

_THRESHOLDS: Final = np.arange(0.10, 0.995, 0.01)
# Below 0.10 no one label is likely; the last step, 0.99, leaves room for a certain network.


@dataclass(frozen=True)
class Thresholds:
    """Confidences at which an appearance starts (onset) and ends (offset)."""

    onset: float
    offset: float


def softmax(logits: NDArray[np.floating]) -> NDArray[np.float64]:
    """Return probabilities (n, labels) of logits (n, labels)."""
    exact = np.asarray(logits, np.float64)
    powers = np.exp(exact - exact.max(axis=-1, keepdims=True))
    return np.asarray(powers / powers.sum(axis=-1, keepdims=True))


def fit_temperature(logits: NDArray[np.floating], labels: NDArray[np.integer]) -> float:
    """Return the temperature by which divided logits are calibrated best.

    One number for the whole network: Guo et al., On Calibration of Modern Neural Networks, 2017.

    Args:
        logits: (n, labels) of stills that were not trained on.
        labels: (n,) the right label's number.
    """
    rows = np.arange(len(labels))
    losses = [
        -np.log(np.maximum(softmax(logits / temperature)[rows, labels], 1e-12)).mean()
        for temperature in _TEMPERATURES
    ]
    return float(_TEMPERATURES[int(np.argmin(losses))])


def choose_thresholds(
    confidences: NDArray[np.floating],
    truth: NDArray[np.bool_],
    *,
    max_false_share: float,
    max_false_rate: float,
) -> tuple[Thresholds, list[Thresholds]]:
    """Choose the thresholds from frames whose truth is known, for all labels and for each.

    The onset for all is where micro-F1 is highest. A label's own lies as high, or as much higher
    as it takes for at most `max_false_share` of the frames that reach it to be false. An offset is
    the lowest threshold that a label which is not on screen reaches in at most `max_false_rate` of
    the frames, and at most the onset: an appearance that has started is kept through doubtful
    frames, yet seldom carried over a cut, to someone else or to strangers.

    Args:
        confidences: (frames, labels), of each label's best region.
        truth: (frames, labels), whether the label is on screen.
        max_false_share: 0 to 1.
        max_false_rate: 0 to 1.
    """
    best = np.argmax([micro_f1(confidences >= t, truth) for t in _THRESHOLDS])
    onset = float(_THRESHOLDS[int(best)])
    general = _thresholds(onset, confidences[~truth], max_false_rate)
    own = []
    for label in range(truth.shape[1]):
        present, of_label = truth[:, label], confidences[:, label]
        absent = of_label[~present]
        trusted = _lowest_trusted(of_label[present], absent, max_false_share)
        own.append(_thresholds(max(onset, trusted), absent, max_false_rate))
    return general, own


def _lowest_trusted(
    present: NDArray[np.floating], absent: NDArray[np.floating], max_false_share: float
) -> float:
    """Return the lowest threshold at which few enough are false; the highest if there is none."""
    true = np.array([(present >= t).sum() for t in _THRESHOLDS])
    false = np.array([(absent >= t).sum() for t in _THRESHOLDS])
    trusted = _THRESHOLDS[false <= max_false_share * (true + false)]
    return float(trusted[0]) if trusted.size else float(_THRESHOLDS[-1])


def _thresholds(onset: float, absent: NDArray[np.floating], max_false_rate: float) -> Thresholds:
    """Return an onset with its offset, from the confidences of labels that are not on screen."""
    false_rates = np.array([(absent >= t).mean() if absent.size else 0.0 for t in _THRESHOLDS])
    seldom = _THRESHOLDS[false_rates <= max_false_rate]
    offset = float(seldom[0]) if seldom.size else onset
    return Thresholds(round(onset, 2), round(min(offset, onset), 2))


def micro_f1(found: NDArray[np.bool_], truth: NDArray[np.bool_]) -> float:
    """Return the F1 over all (frame, label) pairs: 2 TP / (2 TP + FP + FN); 0 if there are none."""
    pairs = int(found.sum() + truth.sum())
    return 2 * int((found & truth).sum()) / pairs if pairs else 0.0
