"""Temperature, thresholds, scores, rehearsal frames and varied stills."""

from dataclasses import replace

import numpy as np
import pytest
from numpy.typing import NDArray

from model.augmentation import augmented_batch
from model.calibration import choose_thresholds, fit_temperature, micro_f1, softmax
from model.errors import ModelError
from model.preprocess import crop_middle, fit_to_canvas, fitted_size
from model.recipe import BASELINE, VARIED
from model.rehearsal import rehearse
from model.scores import score
from model.stills import Stills


def coloured_stills(sizes: list[tuple[int, int]]) -> Stills:
    """One label per still, each a picture of one grey that names it: 100, 110, 120..."""
    pictures = [
        np.full((*size, 3), 100 + 10 * number, np.uint8) for number, size in enumerate(sizes)
    ]
    return Stills(
        tuple(f"label_{number}" for number in range(len(sizes))),
        np.stack([fit_to_canvas(picture) for picture in pictures]),
        np.array([fitted_size(*size) for size in sizes]),
        np.arange(len(sizes)),
        np.arange(len(sizes)),
    )


def test_softmax_agrees_with_numbers_worked_out_by_hand() -> None:
    logits = np.log([[1.0, 2.0, 5.0], [1.0, 1.0, 2.0]]) + 700  # the shift must not overflow
    np.testing.assert_allclose(softmax(logits), [[0.125, 0.25, 0.625], [0.25, 0.25, 0.5]])


@pytest.mark.parametrize("overconfidence", [0.5, 1.0, 3.0])
def test_fitted_temperature_undoes_overconfidence(overconfidence: float) -> None:
    rng = np.random.default_rng(0)
    logits = rng.normal(0, 2, (20_000, 5))
    # labels drawn by the Gumbel trick, so that softmax(logits) is exactly calibrated
    labels = (logits + rng.gumbel(size=logits.shape)).argmax(axis=1)
    assert fit_temperature(logits * overconfidence, labels) == pytest.approx(
        overconfidence, rel=0.04
    )


def test_onset_is_where_micro_f1_is_highest_and_offset_where_false_tags_are_few() -> None:
    truth = np.zeros((100, 2), np.bool_)
    truth[:50, 0] = True
    confidences = np.full((100, 2), 0.05)
    confidences[:50, 0] = 0.75  # all that is true
    confidences[:2, 1] = 0.655  # 2 false of 50 pairs that are beside someone: 4 %
    confidences[2:10, 1] = 0.355  # 8 more, 20 %
    confidences[50:, 1] = 0.455  # false too, but with nobody there
    thresholds = choose_thresholds(confidences, truth, max_false_rate=0.05)
    assert thresholds.onset == 0.66
    assert thresholds.offset == 0.36


def test_offset_is_never_above_the_onset() -> None:
    truth = np.array([[True, False]] * 10)
    confidences = np.array([[0.5, 0.9]] * 2 + [[0.5, 0.2]] * 8)
    thresholds = choose_thresholds(confidences, truth, max_false_rate=0.0)
    assert thresholds.offset <= thresholds.onset <= 0.5


def test_scores_agree_with_scikit_learn() -> None:
    from sklearn.metrics import accuracy_score, f1_score, precision_recall_fscore_support

    rng = np.random.default_rng(1)
    truth = rng.integers(0, 4, 500)
    answers = np.where(rng.random(500) < 0.6, truth, rng.integers(0, 3, 500))
    found = score(answers, truth, ("a", "b", "c", "d"))
    assert found.accuracy == pytest.approx(accuracy_score(truth, answers))
    assert found.macro_f1 == pytest.approx(f1_score(truth, answers, average="macro"))
    precision, recall, f1, support = precision_recall_fscore_support(truth, answers)
    for row, expected in zip(
        found.per_label, zip(precision, recall, f1, support, strict=True), strict=True
    ):
        assert (row.precision, row.recall, row.f1, row.stills) == pytest.approx(expected)


def test_micro_f1_agrees_with_scikit_learn_and_is_zero_without_pairs() -> None:
    from sklearn.metrics import f1_score

    rng = np.random.default_rng(2)
    found, truth = rng.random((2, 200, 6)) < 0.3
    assert micro_f1(found, truth) == pytest.approx(f1_score(truth, found, average="micro"))
    assert micro_f1(np.zeros((3, 2), np.bool_), np.zeros((3, 2), np.bool_)) == 0


def greys(picture: NDArray[np.uint8]) -> set[int]:
    return set(np.unique(picture).tolist())


def test_rehearsal_frames_show_exactly_the_characters_of_their_truth() -> None:
    # two full frames and two halves; a grey names its label, and turned upside down it is the same
    rehearsal = rehearse(coloured_stills([(100, 176), (100, 176), (176, 132), (176, 132)]), 60, 0)
    assert rehearsal.pictures.shape == (60, 3, 64, 64, 3)
    for number, (regions, truth) in enumerate(zip(*vars(rehearsal).values(), strict=True)):
        full, left, right = (greys(region) - {0} for region in regions)
        named = {100 + 10 * int(label) for label in np.flatnonzero(truth)}
        assert {max(left), max(right)} <= full  # an edge where halves meet is blended
        match number % 6:
            case 0 | 3:
                assert full == left == right == named
                assert max(named) < 120
            case 1 | 4:
                assert left | right == named
                assert min(named) >= 120
            case 2:
                assert not truth.any()
            case _:
                assert left == named


def test_without_variation_training_sees_what_inference_sees() -> None:
    stills = coloured_stills([(100, 176), (176, 132), (50, 60)])
    rng = np.random.default_rng(0)
    pictures, targets = augmented_batch(stills, np.array([2, 0]), BASELINE, rng)
    np.testing.assert_array_equal(pictures, crop_middle(stills.canvases[[2, 0]]))
    np.testing.assert_array_equal(targets, [[0, 0, 1], [1, 0, 0]])


def test_mirroring_mirrors_about_half_of_the_pictures_and_changes_no_pixel() -> None:
    picture = np.random.default_rng(3).integers(0, 256, (84, 84, 3), np.uint8)
    stills = replace(coloured_stills([(84, 84)]), canvases=picture[None])
    recipe = replace(BASELINE, mirror=True)
    pictures, _ = augmented_batch(stills, np.zeros(100, np.int64), recipe, np.random.default_rng(0))
    seen = picture[10:74, 10:74]
    straight = sum(np.array_equal(found, seen) for found in pictures)
    mirrored = sum(np.array_equal(found, seen[:, ::-1]) for found in pictures)
    assert straight + mirrored == 100
    assert 30 < mirrored < 70


def test_pasted_picture_is_half_the_one_and_half_the_other() -> None:
    stills = coloured_stills([(176, 132), (176, 132)])
    recipe = replace(BASELINE, pasted_halves=1.0)
    rng = np.random.default_rng(0)
    pictures, targets = augmented_batch(stills, np.zeros(20, np.int64), recipe, rng)
    assert targets.sum(axis=1) == pytest.approx(1.0)
    for picture, target in zip(pictures, targets, strict=True):
        middle_row = picture[32]
        shown = {int(middle_row[10, 0]), int(middle_row[53, 0])}
        assert shown == {100 + 10 * int(label) for label in np.flatnonzero(target)}


def test_varied_pictures_keep_black_bars_black_and_are_repeated_by_the_seed() -> None:
    stills = coloured_stills([(20, 176)])
    first, again = (
        augmented_batch(stills, np.zeros(30, np.int64), VARIED, np.random.default_rng(9))[0]
        for _ in range(2)
    )
    np.testing.assert_array_equal(first, again)
    assert not first[:, :8].any()
    assert len(np.unique(first.reshape(30, -1), axis=0)) == 30


@pytest.mark.parametrize(
    "change", [{"epochs": 0}, {"batch_size": 0}, {"learning_rate": 0.0}, {"pasted_halves": 1.1}]
)
def test_recipe_out_of_bounds_is_refused_by_its_name(change: dict[str, float]) -> None:
    with pytest.raises(ModelError, match=next(iter(change))):
        replace(BASELINE, **change)  # type: ignore[arg-type]
