"""Temperature and thresholds of a made-up network that knows greys."""

from typing import Final

import numpy as np
import pytest
from numpy.typing import NDArray

from model.dataset.stills import Stills
from model.evaluation.calibration import Calibration, calibrate, rehearsed
from model.inference.forward import ForwardPass
from model.labels import UNKNOWN
from model.pictures.preprocess import TASK
from model.pictures.regions import REGIONS
from model.rehearsal.shots import SHOT_FRAMES
from model.version.region_views import RegionViews
from tests.stills.grey_stills import grey_of

LABELS: Final = ("apple", "birch", "cedar", UNKNOWN)
WIDE, NARROW = (100, 176), (176, 132)
STILLS_PER_LABEL: Final = 24
LOGITS: Final = np.array(
    [
        # apple, birch, cedar, unknown
        [5.0, 0.0, 0.0, 0.0],
        [0.0, 1.2, 0.0, 0.0],
        [0.0, 0.0, 1.2, 0.0],
        [3.0, 0.0, 0.0, 2.0],  # a stranger is taken for apple, more surely than birch is known
    ]
)
"""Of a still's label by what is said of it."""


class GreyNetwork(ForwardPass):
    """Stands for a forward pass: finds the commonest grey and answers by the table."""

    def __init__(self) -> None:
        super().__init__(answer_shape=(LOGITS.shape[1],), batch_size=12)
        self.batches: list[int] = []

    def _logits_of_batch(self, pictures: NDArray[np.uint8]) -> NDArray[np.float32]:
        self.batches.append(len(pictures))
        centres = pictures[:, 32, 32, 0].astype(int)
        rows = [
            np.abs(centre - np.array(list(map(grey_of, range(4))))).argmin() for centre in centres
        ]
        return LOGITS[rows].astype(np.float32)


def validation_stills(labels: tuple[str, ...] = LABELS) -> Stills:
    def pictures() -> list[tuple[NDArray[np.uint8], int]]:
        return [
            (np.full((*size, 3), grey_of(number), np.uint8), number)
            for number in range(len(labels))
            for size in [WIDE, NARROW] * (STILLS_PER_LABEL // 2)
        ]

    return Stills.from_pictures(labels, pictures(), TASK)


@pytest.fixture(scope="module")
def told() -> list[tuple[str, int, int]]:
    return []


@pytest.fixture(scope="module")
def network() -> GreyNetwork:
    return GreyNetwork()


@pytest.fixture(scope="module")
def calibration(network: GreyNetwork, told: list[tuple[str, int, int]]) -> Calibration:
    return calibrate(
        network, RegionViews(), validation_stills(), 0, lambda *step: told.append(step)
    )


def test_a_label_that_strangers_are_taken_for_gets_a_higher_onset(
    calibration: Calibration,
) -> None:
    onset, _ = calibration.label_thresholds["apple"]
    assert onset > calibration.thresholds.onset
    # above what is said of a stranger, below what is said of apple itself
    powers = np.exp(LOGITS / calibration.temperature)
    shares = powers[:, 0] / powers.sum(axis=1)
    assert shares[3] < onset <= shares[0]


def test_only_what_is_false_too_often_has_thresholds_of_its_own(calibration: Calibration) -> None:
    [(label, (onset, offset))] = calibration.label_thresholds.items()
    assert label == "apple"
    assert 0 < offset <= onset < 1


def test_temperature_is_where_the_stills_are_least_surprising(calibration: Calibration) -> None:
    """By trying a thousandth after the other, to 1 %."""
    temperatures = np.arange(0.25, 8.0, 0.001)
    scaled = LOGITS / temperatures[:, None, None]
    surprise = np.logaddexp.reduce(scaled, axis=2) - np.diagonal(scaled, axis1=1, axis2=2)
    best = temperatures[surprise.mean(axis=1).argmin()]
    assert calibration.temperature == pytest.approx(best, rel=0.01)


def test_a_shot_for_each_still_is_seen_in_full_batches(
    calibration: Calibration, network: GreyNetwork, told: list[tuple[str, int, int]]
) -> None:
    stills = 4 * STILLS_PER_LABEL
    assert calibration.frames == SHOT_FRAMES * stills
    assert sum(network.batches) == stills + 3 * SHOT_FRAMES * stills
    assert max(network.batches) == network.batch_size
    assert told[-1] == ("Choosing thresholds", SHOT_FRAMES * stills, SHOT_FRAMES * stills)
    assert 0.5 < calibration.micro_f1 <= 1


class SureAtAGlance(ForwardPass):
    """Stands for a network that is sure of everybody it knows, and counts its second looks."""

    def __init__(self) -> None:
        super().__init__(answer_shape=(3,), batch_size=12)
        self.second_looks = 0

    def _logits_of_batch(self, pictures: NDArray[np.uint8]) -> NDArray[np.float32]:
        side = pictures.shape[1]
        self.second_looks += len(pictures) if side == TASK.side else 0
        greys = np.array([grey_of(number) for number in range(3)])
        centres = pictures[:, side // 2, side // 2, :1].astype(int)
        nearest = np.abs(centres - greys).argmin(axis=1)
        return np.asarray(20 * np.eye(3)[nearest], np.float32)


def test_a_glance_does_not_know_a_stranger_by_the_name_that_is_hidden() -> None:
    """Without that name nobody is likelier than another: in doubt, and so looked at again."""
    network = SureAtAGlance()
    views = RegionViews(glance_side=48, glance_clear=0.9)
    known = validation_stills(LABELS[:-1])
    _, truth = rehearsed(network, views, 1.0, known, 0, lambda *_: None)
    strangers_alone = np.count_nonzero(~truth.any(axis=1))
    assert strangers_alone
    assert network.second_looks >= len(REGIONS) * strangers_alone
