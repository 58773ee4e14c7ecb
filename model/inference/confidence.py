"""Calibrate confidences, and choose the thresholds for appearances."""

from dataclasses import dataclass
from typing import Any, Final

import numpy as np
from numpy.typing import NDArray

_TEMPERATURES: Final = np.geomspace(0.25, 8.0, 241)
# Steps of 1.5 %: too small to change a confidence of two digits.

_THRESHOLDS: Final = np.arange(0.10, 0.995, 0.01)
# Below 0.10 no label is likely; confident predictions still reach the last step, 0.99.

_OFFSETS: Final = np.append(np.arange(0.10, 0.96, 0.05), 0.99)
_ROUNDING: Final = 1e-9

_NEWTON_STEPS: Final = 50  # it mostly takes fewer than ten
_RIDGE: Final = 1.0  # regularisation worth one observation, towards unchanged logits
_MAX_SLOPE: Final = 50.0


@dataclass(frozen=True)
class Thresholds:
    """Confidences at which an appearance starts (onset) and ends (offset)."""

    onset: float
    """Confidence from which an appearance starts."""
    offset: float
    """Confidence below which it ends; at most the onset."""


_NEVER: Final = Thresholds(0.99, 0.99)
"""For a label that cannot be recognised reliably: the highest thresholds that are tried."""


def softmax(logits: NDArray[np.floating]) -> NDArray[np.float64]:
    """Return the probabilities (n, labels) of logits (n, labels)."""
    exact = np.asarray(logits, np.float64)
    powers = np.exp(exact - exact.max(axis=-1, keepdims=True))
    return np.asarray(powers / powers.sum(axis=-1, keepdims=True))


def sigmoid(logits: NDArray[np.floating]) -> NDArray[np.float64]:
    """Return the logistic sigmoid of each logit."""
    return np.asarray((1 + np.tanh(np.asarray(logits, np.float64) / 2)) / 2)


def fit_temperature(logits: NDArray[np.floating], labels: NDArray[np.integer]) -> float:
    """Return the temperature that calibrates logits best (temperature scaling).

    One temperature serves the whole network: Guo et al., On Calibration of Modern Neural Networks,
    2017.

    Args:
        logits: (n, labels) of stills that were not trained on.
        labels: (n,) number of the correct label.
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
    """Choose the thresholds on a sequence of frames with known ground truth.

    A label gets thresholds of its own if the pair with the highest micro-F1 over all labels has too
    many false positives for it: if their share among the frames that are assigned to the label
    exceeds `max_false_share` by more than one standard error, since it may occur in few shots. Its
    own thresholds are the pair with the highest F1 that keeps this limit and has at
    least as high an onset. Labels within the limit keep the shared pair, so that thresholds do not
    overfit a label's few shots.

    All other labels share the pair with the highest micro-F1 among the pairs that, together with
    the labels with own thresholds, assign any label to at most `max_stranger_share` of the frames
    without known characters, or to as few of them as possible.

    Args:
        confidences: (frames, labels), of each label's best region.
        truth: (frames, labels), whether the label is on screen.
        max_stranger_share: 0 to 1.
        max_false_share: 0 to 1.
        shot_frames: Number of consecutive frames of one shot; a shot counts as one observation.

    Returns:
        The shared thresholds, and the thresholds of each label.
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
    """Return (frames, labels), whether each label is on screen by these thresholds (hysteresis).

    An appearance starts at a frame that reaches the onset, and ends before a frame that does not
    reach the offset.
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
    """Return the slope and shift for which sigmoid(slope * logit + shift) fits the truth best.

    This is Platt scaling (Platt, Probabilistic outputs for support vector machines, 1999), fitted
    by Newton's method; the slope is positive, so that logits keep their order.

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
