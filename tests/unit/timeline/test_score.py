"""Agreement of found ranges with a truth, counted by hand."""

from fractions import Fraction

import pytest

from timeline.scoring.score import LabelScore, frame_level_score
from timeline.scoring.truth import LabelledRange


def _range(label: str, start: int, end: int) -> LabelledRange:
    return LabelledRange(label, Fraction(start), Fraction(end))


SECONDS = [Fraction(number) for number in range(10)]


def test_counts_and_ratios_agree_with_a_count_by_hand() -> None:
    # second      0 1 2 3 4 5 6 7 8 9
    # truth       - - A A A A - B B B        B also at 4, 5
    # found       - A A A - - - B B A        B also at 4, 5
    truth = [
        _range("", 0, 2),
        _range("a", 2, 6),
        _range("b", 4, 6),
        _range("", 6, 7),
        _range("b", 7, 10),
    ]
    found = [_range("a", 1, 4), _range("b", 4, 6), _range("b", 7, 9), _range("a", 9, 10)]
    score = frame_level_score(truth, found, SECONDS)
    assert score.per_label == {"a": LabelScore(2, 2, 2), "b": LabelScore(4, 0, 1)}
    assert (score.true_positives, score.false_positives, score.false_negatives) == (6, 2, 3)
    assert score.micro_precision == pytest.approx(6 / 8)
    assert score.micro_recall == pytest.approx(6 / 9)
    assert score.micro_f1 == pytest.approx(12 / 17)
    assert (score.samples, score.samples_with_nobody, score.false_tag_samples) == (10, 3, 1)
    assert score.per_label["a"].precision == pytest.approx(0.5)
    assert score.per_label["b"].recall == pytest.approx(0.8)


def test_a_sample_at_the_start_is_inside_and_one_at_the_end_is_not() -> None:
    score = frame_level_score([_range("a", 2, 4)], [_range("a", 4, 6)], SECONDS)
    assert score.per_label == {"a": LabelScore(0, 2, 2)}


def test_a_sample_that_the_truth_does_not_cover_counts_as_nobody() -> None:
    score = frame_level_score([_range("a", 0, 1)], [_range("a", 0, 3)], SECONDS)
    assert (score.true_positives, score.false_positives) == (1, 2)
    assert (score.samples_with_nobody, score.false_tag_samples) == (9, 2)


def test_ranges_of_a_label_that_overlap_count_once() -> None:
    twice = [_range("a", 0, 3), _range("a", 1, 4)]
    assert frame_level_score(twice, twice, SECONDS).true_positives == 4


def test_the_order_of_the_samples_changes_nothing() -> None:
    truth, found = [_range("a", 2, 6)], [_range("a", 1, 4)]
    in_order = frame_level_score(truth, found, SECONDS)
    assert frame_level_score(truth, found, SECONDS[::-1]) == in_order


@pytest.mark.parametrize(
    ("counts", "precision", "recall", "f1"),
    [
        (LabelScore(0, 0, 0), 1.0, 1.0, 1.0),  # nothing to find, nothing found
        (LabelScore(0, 0, 5), 0.0, 0.0, 0.0),
        (LabelScore(0, 5, 0), 0.0, 0.0, 0.0),
        (LabelScore(5, 0, 0), 1.0, 1.0, 1.0),
    ],
)
def test_ratios_are_defined_where_there_is_nothing_to_divide_by(
    counts: LabelScore, precision: float, recall: float, f1: float
) -> None:
    assert (counts.precision, counts.recall, counts.f1) == (precision, recall, f1)
