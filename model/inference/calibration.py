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

_NEWTON_STEPS: Final = 50  # it mostly takes fewer than ten
_RIDGE: Final = 1.0  # one answer's worth of belief that logits are right as they are
_MAX_SLOPE: Final = 50.0


@dataclass(frozen=True)
class Thresholds:
    """Confidences at which an appearance starts (onset) and ends (offset)."""

    onset: float
    offset: float


_NEVER: Final = Thresholds(0.99, 0.99)
"""Of a label that nothing can be trusted to be; the highest that are tried."""


def softmax(logits: NDArray[np.floating]) -> NDArray[np.float64]:
    """Return probabilities (n, labels) of logits (n, labels)."""
    exact = np.asarray(logits, np.float64)
    powers = np.exp(exact - exact.max(axis=-1, keepdims=True))
    return np.asarray(powers / powers.sum(axis=-1, keepdims=True))


def sigmoid(logits: NDArray[np.floating]) -> NDArray[np.float64]:
    """Return the probability of each logit against its opposite."""
    return np.asarray((1 + np.tanh(np.asarray(logits, np.float64) / 2)) / 2)


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
    max_stranger_share: float,
    max_false_share: float,
    shot_frames: int,
) -> tuple[Thresholds, list[Thresholds]]:
    """Choose the thresholds from a sequence of frames whose truth is known.

    A label gets its own if the pair by which `on_screen` has the highest micro-F1 of all labels is
    too often false for it: in more than `max_false_share` of the frames in which it says that the
    label is on screen, beyond what chance makes of few shots (one standard error of a share). Its
    own are the pair with the highest F1 by which not too many are false, and an onset at least as
    high. What fits a label's few shots better by chance is so left alone.

    All other labels share the pair with their highest micro-F1 of those by which, together with
    the labels that have their own, somebody is said to be there in at most `max_stranger_share` of
    the frames without anybody known, or in as few as can be.

    Args:
        confidences: (frames, labels), of each label's best region.
        truth: (frames, labels), whether the label is on screen.
        max_stranger_share: 0 to 1.
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
    labels, nobody = truth.shape[1], ~truth.any(axis=1)
    true, said = np.zeros((2, len(pairs), labels), np.int64)
    strangers = np.zeros((len(pairs), int(nobody.sum()), labels), np.bool_)
    for number, pair in enumerate(pairs):
        found = on_screen(confidences, pair)
        true[number], said[number] = (found & truth).sum(axis=0), found.sum(axis=0)
        strangers[number] = found[nobody]
    actual = truth.sum(axis=0)
    best_of_all = int(np.argmax(_f1(true.sum(axis=1), said.sum(axis=1), actual.sum())))
    chance = np.sqrt(max_false_share * (1 - max_false_share) * said * shot_frames)
    trusted = (said - true <= max_false_share * said + chance) & (true > 0)
    high_enough = np.array([pair.onset >= pairs[best_of_all].onset for pair in pairs])
    f1 = np.where(trusted & high_enough[:, None], _f1(true, said, actual), 0.0)
    alone = ~trusted[best_of_all]
    own = np.where(f1.any(axis=0), f1.argmax(axis=0), pairs.index(_NEVER))

    if alone.all():
        return pairs[best_of_all], [pairs[number] for number in own]
    taken = np.asarray(strangers[own[alone], :, alone].any(axis=0))
    wrong = (strangers[:, :, ~alone].any(axis=2) | taken).sum(axis=1)
    few = wrong <= max(max_stranger_share * len(taken), wrong.min())
    of_others = [counts[..., ~alone].sum(axis=-1) for counts in (true, said, actual)]
    general = int(np.argmax(np.where(few, _f1(*of_others), -1.0)))
    return pairs[general], [
        pairs[own[label]] if alone[label] else pairs[general] for label in range(labels)
    ]


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


def fit_logistic(logits: NDArray[np.floating], truth: NDArray[np.bool_]) -> tuple[float, float]:
    """Return slope and shift for which sigmoid(slope * logit + shift) fits the truth best.

    Platt, Probabilistic outputs for support vector machines, 1999, by Newton's method; the logits
    keep their order.

    Args:
        logits: (n,)
        truth: (n,) with both values.
    """
    x = np.stack([np.asarray(logits, np.float64), np.ones(len(logits))], axis=1)
    y = truth.astype(np.float64)
    found = np.array([1.0, 0.0])
    for _ in range(_NEWTON_STEPS):
        likely = sigmoid(x @ found)
        weight = np.maximum(likely * (1 - likely), _ROUNDING)
        gradient = x.T @ (likely - y) + _RIDGE * (found - [1.0, 0.0])
        curvature = (x * weight[:, None]).T @ x + _RIDGE * np.eye(2)
        step = np.linalg.solve(curvature, gradient)
        found = found - np.clip(step, -1.0, 1.0)
        if np.abs(step).max() < _ROUNDING:
            break
    return float(np.clip(found[0], 1 / _MAX_SLOPE, _MAX_SLOPE)), float(found[1])
