"""Confidences and thresholds of dense networks, on frames whose truth is made up."""

from typing import Final

import numpy as np
import pytest
from numpy.typing import NDArray

from model.evaluation.scene_calibration import Rehearsed, calibrate_scenes, rehearse_network
from model.inference.confidence import Thresholds
from model.inference.forward import ForwardPass
from model.pictures.preprocess import WIDE
from model.rehearsal.shots import SHOT_FRAMES
from tests.stills.placed_stills import LABELS, Placed, nobody, of_colour, placed_stills

NAMES: Final = ("ant", "bee", "cow")
SHOTS: Final = 400


def rehearsed(seed: int = 0, *, apart: float = 6.0) -> Rehearsed:
    """Each label in a fifth of the shots, answered as much higher then, and twice too surely."""
    rng = np.random.default_rng(seed)
    truth = np.repeat(rng.random((SHOTS, 3)) < 0.2, SHOT_FRAMES, axis=0)
    logits = rng.normal(size=truth.shape) + apart * truth - apart
    return Rehearsed((2 * logits).astype(np.float32), truth, np.zeros(truth.shape, np.bool_))


def calibrated(shown: Rehearsed) -> NDArray[np.float64]:
    calibration, shift = calibrate_scenes(shown, NAMES)
    return 1 / (1 + np.exp(-(shown.logits.astype(np.float64) + shift) / calibration.temperature))


def test_shift_and_temperature_make_confidences_honest() -> None:
    """A fit with a constant gives in the mean what is true; tenths are right that often."""
    shown = rehearsed(apart=2.0)
    confidences = calibrated(shown)
    assert confidences.mean() == pytest.approx(shown.truth.mean(), abs=0.002)
    for low in np.arange(0, 1, 0.2):
        within = (confidences >= low) & (confidences < low + 0.2)
        assert shown.truth[within].mean() == pytest.approx(confidences[within].mean(), abs=0.06)


def test_labels_told_apart_for_sure_are_all_right() -> None:
    calibration, _ = calibrate_scenes(rehearsed(), NAMES)
    assert calibration.micro_f1 > 0.99
    assert calibration.frames == SHOTS * SHOT_FRAMES
    assert 0 < calibration.thresholds.offset <= calibration.thresholds.onset < 1
    assert not calibration.label_thresholds


def test_what_is_not_heard_changes_nothing() -> None:
    shown = rehearsed(apart=2.0)
    unheard = np.random.default_rng(1).random(shown.truth.shape) < 0.3
    truth = shown.truth & ~unheard
    silent, loud = (
        Rehearsed(np.where(unheard, said, shown.logits).astype(np.float32), truth, unheard)
        for said in (-9.0, 30.0)
    )
    assert calibrate_scenes(silent, NAMES) == calibrate_scenes(loud, NAMES)


def test_label_that_strangers_are_taken_for_has_a_higher_onset() -> None:
    """In every fourth shot without it an ant is seen, though less surely than true ones."""
    shown = rehearsed()
    shots = shown.truth[:, 0].reshape(SHOTS, SHOT_FRAMES)[:, 0]
    fooled = np.repeat(~shots & (np.random.default_rng(2).random(SHOTS) < 0.25), SHOT_FRAMES)
    shown.logits[fooled, 0] = -1.0
    shown.logits[shown.truth[:, 0], 0] += 4.0
    calibration, shift = calibrate_scenes(shown, NAMES)
    onset, offset = calibration.label_thresholds.get(
        "ant", (calibration.thresholds.onset, calibration.thresholds.offset)
    )
    stranger = 1 / (1 + np.exp(-(-1.0 + shift) / calibration.temperature))
    assert stranger < onset
    assert offset <= onset
    assert set(calibration.label_thresholds) <= {"ant"}
    assert isinstance(calibration.thresholds, Thresholds)


class Colours(ForwardPass):
    """Sees a label wherever its colour is, surely."""

    def __init__(self) -> None:
        super().__init__((12, 16, 4 + 4), 10)
        self.sizes: list[int] = []

    def _logits_of_batch(self, pictures: NDArray[np.uint8]) -> NDArray[np.float32]:
        self.sizes.append(len(pictures))
        answers = np.full((len(pictures), 12, 16, 4 + 4), -8.0, np.float32)
        for row, picture in enumerate(pictures):
            for label, name in enumerate(LABELS[:4]):
                has_it = of_colour(picture, name, 60).reshape(12, 16, 16, 16).mean(axis=(1, 3))
                answers[row, has_it > 0.15, label] = 8.0
        return answers


def test_network_that_sees_who_is_there_is_right_on_rehearsed_frames() -> None:
    box = (0.3, 0.2, 0.7, 0.8)
    alone = [Placed([(label, box)], in_full=False) for label in LABELS[:4]] * 4
    stills = placed_stills(*alone, nobody())
    forward, told = Colours(), []
    shown = rehearse_network(forward, WIDE, stills, 0, lambda *step: told.append(step))
    frames = 2 * len(stills) * SHOT_FRAMES
    assert shown.logits.shape == shown.truth.shape == shown.unheard.shape == (frames, 4)
    # the stills themselves, then every frame once, in full batches but for the last
    assert sum(forward.sizes) == len(stills) + frames
    assert forward.sizes[2:-1] == [10] * (frames // 10)
    assert told[-1] == ("Choosing thresholds", frames, frames)
    right = ((shown.logits > 0) == shown.truth)[~shown.unheard]
    assert right.mean() > 0.97
    assert calibrate_scenes(shown, LABELS[:4])[0].micro_f1 > 0.9
