"""Which frames come first for a person to mend: expected values by hand."""

from fractions import Fraction

import numpy as np
import pytest
from numpy.typing import NDArray

from castline.stills.doubt import most_worthy, worth
from model.inference.classifier import Prediction
from timeline.appearances.rules import Rules

RULES = Rules(0.4, 0.3, Fraction(0), Fraction(0), {"late": (0.8, 0.7), "never": (1.0, 0.9)})


@pytest.mark.parametrize(
    ("seen", "expected"),
    [
        ({}, 0.0),
        ({"ann": 0.4}, 1.0),  # at its onset
        ({"ann": 0.1}, 0.25),
        ({"ann": 0.7}, 0.5),
        ({"ann": 1.0}, 0.0),
        ({"late": 0.8}, 1.0),  # by its own onset
        ({"late": 0.4}, 0.5),
        ({"never": 1.0}, 1.0),
        ({"ann": 1.0, "bob": 1.0}, 1 / 2),
        ({"ann": 1.0, "bob": 1.0, "cec": 1.0}, 2 / 3),
        ({"ann": 1.0, "bob": 1.0, "cec": 0.1}, 1 / 2 + 0.25),  # two are seen, one is doubted
        ({"ann": 0.7, "bob": 0.3}, 0.75),
    ],
)
def test_worth_is_doubt_plus_crowd(seen: dict[str, float], expected: float) -> None:
    predictions = [Prediction(label, "full", confidence) for label, confidence in seen.items()]
    assert worth(predictions, RULES) == pytest.approx(expected)


def hashed(*bits: int) -> NDArray[np.uint64]:
    """Hashes of which so many bits, from the first one on, are set."""
    rows = [[1] * count + [0] * (256 - count) for count in bits]
    return np.packbits(np.array(rows, np.uint8).reshape(-1, 256), axis=1).view(np.uint64)


def test_worthiest_comes_first_and_of_equals_the_earlier() -> None:
    assert most_worthy([0.1, 0.9, 0.5, 0.9], hashed(0, 60, 120, 180), 9) == [1, 3, 2, 0]


def test_near_duplicate_of_a_worthier_frame_is_passed_over() -> None:
    # 24 bits apart are near-duplicates, 25 are none
    assert most_worthy([0.9, 0.8, 0.7], hashed(0, 24, 25), 9) == [0, 2]


def test_no_more_are_chosen_than_asked_for() -> None:
    assert most_worthy([0.1, 0.9, 0.5], hashed(0, 60, 120), 2) == [1, 2]
    assert most_worthy([], hashed(), 2) == []
