"""The output of an added label, on features whose truth is known."""

import numpy as np
from numpy.typing import NDArray

from model.adding.column import Column, learn_column
from model.adding.views import Views

PLACES, FEATURES = 12, 6
OWN, OTHER = 0, 1
"""The features by which the label and everybody else stand out."""


def features(rng: np.random.Generator, pictures: int, figure: int) -> NDArray[np.float32]:
    """Weak noise, and somebody at the place whose number is the picture's, modulo PLACES."""
    made = rng.uniform(0, 0.3, (pictures, PLACES, FEATURES)).astype(np.float32)
    made[np.arange(pictures), np.arange(pictures) % PLACES, figure] += 2
    return made


def views(seen: NDArray[np.float32], *, boxed: bool) -> Views:
    """Scenes of the label alone, whose place is known or not."""
    pictures = len(seen)
    places = np.zeros((pictures, PLACES, 2), np.float32)
    if boxed:
        places[..., 1] = 0.5
        middle = np.arange(pictures), np.arange(pictures) % PLACES
        places[(*middle, 0)] = places[(*middle, 1)] = 1
    return Views(
        seen.astype(np.float16),
        places,
        np.ones((pictures, 2), np.float32),
        np.zeros(pictures, np.int64),
    )


def likeliest(column: Column, seen: NDArray[np.float32]) -> NDArray[np.int64]:
    return np.asarray(column.logits(seen).argmax(axis=1))


def test_label_is_told_from_others_at_its_place() -> None:
    rng = np.random.default_rng(0)
    others = features(rng, 60, OTHER)
    shown = views(features(rng, 30, OWN), boxed=True)
    column = learn_column(shown, 0, others, np.zeros((30, PLACES), np.float32))
    again = features(rng, 30, OWN)
    np.testing.assert_array_equal(likeliest(column, again), np.arange(30) % PLACES)
    assert column.highest(again).min() > column.highest(features(rng, 60, OTHER)).max()


def test_without_boxes_the_place_is_found_though_it_is_first_looked_for_elsewhere() -> None:
    rng = np.random.default_rng(1)
    seen = features(rng, 36, OWN)
    # beside it stands somebody else, who is likelier for the labels that were known before
    beside = (np.arange(36) + 5) % PLACES
    seen[np.arange(36), beside, OTHER] += 2
    somebody = 0.9 * seen[..., OTHER] + seen[..., OWN]
    others = features(rng, 60, OTHER)
    column = learn_column(views(seen, boxed=False), 0, others, somebody)
    assert (likeliest(column, seen) == np.arange(36) % PLACES).mean() > 0.9


def test_scaled_column_answers_with_scaled_logits() -> None:
    column = Column(np.array([1.0, -2.0]), 0.5)
    seen = np.array([[[3.0, 1.0], [0.0, 0.0]]], np.float32)
    np.testing.assert_allclose(column.highest(seen), [1.5])
    np.testing.assert_allclose(column.scaled(2.0, -1.0).highest(seen), [1.0])
