"""Confidences that mean what they say, and the thresholds that follow from them."""

from dataclasses import dataclass
from typing import Any, Final

import numpy as np
from numpy.typing import NDArray

_TEMPERATURES: Final = np.geomspace(0.25, 8.0, 241)
# Steps of 1.5 %: far below what a temperature does to a confidence that is read to two digits.

_THRESHOLDS: Final = np.arange(0.10, 0.995, 0.01)
# Below 0.10 no one label is likely; the last step, 0.99, leaves room for a certain network.

_OFFSETS: Final = np.append(np.arange(0.10, 0.96, 0.05), 0.99)
_ROUNDING: Final = 1e-9


@dataclass(frozen=True)
class Thresholds:
    """Confidences at which an appearance starts (onset) and ends (offset)."""

    onset: float
    offset: float


_NEVER: Final = Thresholds(0.99, 0.99)
"""Of a label that nothing can be trusted to be."""


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
    shot_frames: int,
) -> tuple[Thresholds, list[Thresholds]]:
    """Choose the thresholds from a sequence of frames whose truth is known.

    Those of all labels are the pair whose `on_screen` has the highest micro-F1. They are a label's
    own too, unless more than `max_false_share` of the frames in which they say that it is on screen
    are false, beyond what chance makes of few shots (one standard error of a share). Its own are
    then the pair with the highest F1 of those by which not too many are false, with an onset at
    least as high. What fits a label's few shots better by chance is so left alone.

    Args:
        confidences: (frames, labels), of each label's best region.
        truth: (frames, labels), whether the label is on screen.
        max_false_share: 0 to 1.
        shot_frames: how many frames in a row show the same, and count as one for chance.

    Returns:
        The thresholds of labels without their own, and those of each.
    """
    pairs = [
        Thresholds(round(float(onset), 2), round(float(offset), 2))
        for onset in _THRESHOLDS
        for offset in _OFFSETS
        if offset <= onset + _ROUNDING
    ]
    true, said = np.zeros((2, len(pairs), truth.shape[1]), np.int64)
    for number, pair in enumerate(pairs):
        found = on_screen(confidences, pair)
        true[number], said[number] = (found & truth).sum(axis=0), found.sum(axis=0)
    actual = truth.sum(axis=0)
    general = int(np.argmax(_f1(true.sum(axis=1), said.sum(axis=1), actual.sum())))
    high_enough = np.array([pair.onset >= pairs[general].onset for pair in pairs])
    chance = np.sqrt(max_false_share * (1 - max_false_share) * said * shot_frames)
    trusted = (said - true <= max_false_share * said + chance) & (true > 0)
    f1 = np.where(trusted & high_enough[:, None], _f1(true, said, actual), 0.0)
    f1[general, trusted[general]] = np.inf
    own = [pairs[best] if f1[best, label] else _NEVER for label, best in enumerate(f1.argmax(0))]
    return pairs[general], own


def on_screen(confidences: NDArray[np.floating], thresholds: Thresholds) -> NDArray[np.bool_]:
    """Return (frames, labels), whether a label is said to be on screen in each frame of a sequence.

    It is from a frame that reaches the onset on, until one that does not reach the offset.
    """
    frames = np.arange(len(confidences))[:, None]
    started = np.where(confidences >= thresholds.onset, frames, -1)
    ended = np.where(confidences < thresholds.offset, frames, -1)
    last_start, last_end = (np.maximum.accumulate(each, axis=0) for each in (started, ended))
    return np.asarray(last_start > last_end)


def _f1(true: Any, said: Any, actual: Any) -> NDArray[np.float64]:
    return np.asarray(2 * true / np.maximum(said + actual, 1))


def micro_f1(found: NDArray[np.bool_], truth: NDArray[np.bool_]) -> float:
    """Return the F1 over all (frame, label) pairs: 2 TP / (2 TP + FP + FN); 0 if there are none."""
    pairs = int(found.sum() + truth.sum())
    return 2 * int((found & truth).sum()) / pairs if pairs else 0.0
