"""What a dense network's lesson tells of the validation stills, of a made-up network."""

import numpy as np
import pytest
from numpy.typing import NDArray

from model.inference.tensorflow_runtime import load_tensorflow
from model.networks.named import build_network
from model.pictures.preprocess import WIDE
from model.recipe import STRONG
from model.training.place_lesson import PlaceLesson
from tests.stills.placed_stills import LABELS, Placed, nobody, placed_stills

PARAMETERS = {"widths": [8] * 5, "blocks": [1] * 5, "joined": 8, "head": 8}

SHOWN = (("ann",), ("ann", "bob"), ("cid",), ("unknown",), ("bob",))
"""Whom each still shows, the main one first."""

LIKELY = np.array(
    [
        [0.9, 0.1, 0.2, 0.1],
        [0.3, 0.6, 0.1, 0.2],  # right: bob is there, though ann is the main one
        [0.5, 0.3, 0.4, 0.3],  # wrong
        [0.9, 0.9, 0.9, 0.9],  # a stranger does not count
        [0.1, 0.1, 0.7, 0.4],  # wrong
    ]
)


def fake_answers(pictures: NDArray[np.uint8]) -> NDArray[np.float32]:
    """Stills are known by their width: each has its likelihoods at a place of its own."""
    answers = np.full((len(pictures), 12, 16, 4 + 4), -20.0, np.float32)
    for row, picture in enumerate(pictures):
        rows = np.flatnonzero(picture.any(axis=(1, 2)))
        number = next(n for n in range(5) if _rows(n) == (rows[0], rows[-1]))
        answers[row, number, number, :4] = np.log(LIKELY[number] / (1 - LIKELY[number]))
    return answers


def _height(number: int) -> int:
    return 40 + 10 * number


def _rows(number: int) -> tuple[int, int]:
    """The first and the last row of a frame that a still of 256 pixels' width fills."""
    first = (192 - _height(number)) // 2
    return first, first + _height(number) - 1


def test_validation_counts_any_label_of_a_still_and_every_labels_surprise(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    load_tensorflow()
    stills = placed_stills(
        *(
            Placed([], in_full=False, size=(_height(number), 256), also=labels)
            for number, labels in enumerate(SHOWN)
        )
    )
    network = build_network("dense", PARAMETERS, LABELS[:4], WIDE.shape)
    lesson = PlaceLesson(network, STRONG, stills, 10)
    monkeypatch.setattr(lesson, "answers", fake_answers)
    loss, accuracy = lesson.validate()

    assert accuracy == 2 / 4
    # of each label, if it is there, what it has, and otherwise what it leaves
    of_truth = [0.9, 0.9, 0.8, 0.9, 0.3, 0.6, 0.9, 0.8, 0.5, 0.7, 0.4, 0.7, 0.9, 0.1, 0.3, 0.6]
    assert loss == pytest.approx(-np.log(of_truth).sum() / 4)


def test_validation_of_strangers_alone_tells_nothing_and_does_not_fail() -> None:
    load_tensorflow()
    stills = placed_stills(nobody())
    network = build_network("dense", PARAMETERS, LABELS[:4], WIDE.shape)
    assert PlaceLesson(network, STRONG, stills, 10).validate() == (0, 0)
