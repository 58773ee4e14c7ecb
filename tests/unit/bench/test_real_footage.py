"""Real footage beside its truth, against a table worked out by hand."""

from argparse import ArgumentTypeError
from dataclasses import replace
from fractions import Fraction
from pathlib import Path

import pytest

from bench.footage.mistakes import worst_samples
from bench.footage.report import Scored, choice_json, clips_table, figures_table, labels_table
from bench.footage.samples import (
    Answer,
    Borders,
    Footage,
    Look,
    Sample,
    at_borders,
    mean_over_true_labels,
    number_on_screen,
    recall_by_size,
    samples_of,
    score,
    scored_seconds,
    scores_by,
)
from bench.real_footage import _every_seconds
from timeline.scoring.score import LabelScore
from timeline.scoring.truth import LabelledRange

# Ten moments (0.185 s, 0.555 s ... 3.515 s), so that ranges begin and end at k * 0.37 s.
#
# | k | true        | found       | right | made up | missed | last look (s), true then |
# |---|-------------|-------------|-------|---------|--------|--------------------------|
# | 0 | ant         | ant         | 1     |         |        | 0.0 ant                  |
# | 1 | ant         |             |       |         | ant    | 0.5 ant                  |
# | 2 | ant bee     | ant         | 1     |         | bee    | 0.5 ant: a border        |
# | 3 | ant bee     | ant bee dog | 2     | dog     |        | 1.0 ant bee              |
# | 4 | ant bee cat | ant         | 1     |         | bee cat| 1.5 ant bee cat          |
# | 5 | ant bee cat | ant cat     | 2     |         | bee    | 2.0 ant bee cat          |
# | 6 | nobody      | ant         |       | ant     |        | 2.0 ant bee cat: a border|
# | 7 | fox         | fox         | fox does not count: nobody    | 2.5 nobody               |
# | 8 | not told    | cat         | left out                      |                          |
# | 9 | nobody      | bee         |       | bee     |        | 3.5 nobody               |
GRID = Fraction(37, 100)
DURATION = Fraction(36, 10)
LABELS = frozenset({"ant", "bee", "cat", "dog"})
EPISODE = Path("zoo.mp4")


def ranges(*rows: tuple[str, int, int]) -> list[LabelledRange]:
    """Of labels from one number of the grid to another."""
    return [
        LabelledRange(label, start * GRID, min(end * GRID, DURATION)) for label, start, end in rows
    ]


def look(seconds: str, **confidences: float) -> Look:
    return Look(Fraction(seconds), {label: Answer(each) for label, each in confidences.items()})


FOOTAGE = Footage(
    EPISODE,
    DURATION,
    truth=ranges(
        ("ant", 0, 6), ("bee", 2, 6), ("cat", 4, 6), ("", 6, 7), ("fox", 7, 8), ("", 9, 10)
    ),
    clips=ranges(("1", 0, 4), ("2", 4, 10)),
    found=ranges(
        *(("ant", 0, 1), ("ant", 2, 7), ("bee", 3, 4), ("dog", 3, 4), ("cat", 5, 6)),
        *(("fox", 7, 8), ("cat", 8, 9), ("bee", 9, 10)),
    ),
    looks=[
        look("0", ant=0.9),
        look("0.5", ant=0.3),
        look("1", ant=0.9, bee=0.7, dog=0.8),
        look("1.5", ant=0.9, bee=0.2),
        look("2", ant=0.9, bee=0.1, cat=0.7),
        look("2.5", fox=0.9),
        look("3", cat=0.7),
        look("3.5", bee=0.6),
    ],
)


def onset_of(label: str) -> float:
    return 0.2 if label == "bee" else 0.5


@pytest.fixture
def samples() -> list[Sample]:
    return samples_of(FOOTAGE, LABELS)[0]


def numbers(samples: list[Sample]) -> list[int]:
    return [int(each.seconds / GRID) for each in samples]


def test_moments_lie_in_the_middle_of_each_step_of_the_grid() -> None:
    assert [float(each) for each in scored_seconds(Fraction(1))] == [0.185, 0.555, 0.925]
    assert scored_seconds(Fraction("0.925")) == scored_seconds(Fraction("0.9"))
    assert len(scored_seconds(DURATION)) == 10


def test_what_the_truth_says_nothing_about_is_left_out_and_counted() -> None:
    samples, untold = samples_of(FOOTAGE, LABELS)
    assert (numbers(samples), untold) == ([0, 1, 2, 3, 4, 5, 6, 7, 9], 1)


def test_pairs_are_counted_as_by_hand(samples: list[Sample]) -> None:
    whole = score(samples)
    assert whole.total == LabelScore(7, 3, 5)
    assert whole.per_label == {
        "ant": LabelScore(5, 1, 1),
        "bee": LabelScore(1, 1, 3),
        "cat": LabelScore(1, 0, 1),
        "dog": LabelScore(0, 1, 0),
    }
    assert (whole.samples_with_nobody, whole.false_tag_samples) == (3, 2)


def test_samples_are_told_apart_by_how_many_are_on_screen(samples: list[Sample]) -> None:
    assert {name: each.total for name, each in scores_by(samples, number_on_screen).items()} == {
        "0": LabelScore(0, 2, 0),
        "1": LabelScore(1, 0, 1),
        "2": LabelScore(3, 1, 1),
        "3+": LabelScore(3, 0, 3),
    }


def test_the_mean_over_labels_leaves_out_those_that_are_nowhere(samples: list[Sample]) -> None:
    f1, recall, number = mean_over_true_labels(score(samples))
    assert f1 == pytest.approx((10 / 12 + 2 / 6 + 2 / 3) / 3)
    assert recall == pytest.approx((5 / 6 + 1 / 4 + 1 / 2) / 3)
    assert number == 3


def test_recall_is_told_by_the_size_that_was_seen_when_it_was_looked_last() -> None:
    heights = {"ant": 0.5, "bee": 0.49, "cat": 0.2}
    looks = [
        Look(
            each.seconds,
            {name: Answer(0.9, heights[name]) for name in each.answers.keys() - {"dog", "fox"}},
        )
        for each in FOOTAGE.looks
    ]
    samples, _ = samples_of(replace(FOOTAGE, looks=looks), LABELS)
    assert recall_by_size(samples) == {
        "half the height or more": (5, 6),  # ant
        "a quarter to half": (1, 3),  # bee, but for the moment after a look without it
        "under a quarter": (1, 1),  # cat
        "no place": (0, 2),
    }


def test_mistakes_that_a_border_explains_are_counted(samples: list[Sample]) -> None:
    assert at_borders(samples) == Borders(made_up=1, missed=1, falsely_tagged=1)


@pytest.mark.parametrize(
    ("labels", "counts", "nobody"),
    [
        (LABELS | {"fox"}, LabelScore(8, 3, 5), (2, 2)),
        ({"bee"}, LabelScore(1, 1, 3), (5, 1)),
        ({"owl"}, LabelScore(0, 0, 0), (9, 0)),
    ],
    ids=["one more", "one alone", "one that is nowhere"],
)
def test_only_the_chosen_labels_count(
    labels: set[str], counts: LabelScore, nobody: tuple[int, int]
) -> None:
    found = score(samples_of(FOOTAGE, labels)[0])
    assert found.total == counts
    assert (found.samples_with_nobody, found.false_tag_samples) == nobody


def test_the_tables_have_the_figures(samples: list[Sample]) -> None:
    choice = Scored(LABELS, frozenset({"cat"}), samples, 1, onset_of)
    lines = figures_table([choice, choice]).splitlines()
    assert lines[:2] == ["| figure | 4 labels | 4 labels |", "| --- | ---: | ---: |"]
    figures = dict(line.strip("| ").split(" | ")[:2] for line in lines[2:])
    assert figures == {
        "labels that the model does not know": "1",
        "F1 (micro)": "0.636",  # 14 / 22
        "precision": "0.700",
        "recall": "0.583",  # 7 / 12
        "F1, each look by itself": "0.609",  # 14 / 23: 7 right, 4 made up, 5 missed
        "F1, one known on screen": "0.667 (2 samples)",
        "F1, two known on screen": "0.750 (2 samples)",
        "F1, three or more known on screen": "0.667 (2 samples)",
        "recall, half the height or more": "none",
        "recall, a quarter to half": "none",
        "recall, under a quarter": "none",
        "recall, no place": "0.583 (12 pairs)",
        "falsely tagged, nobody known on screen": "66.7% (2 of 3 samples)",
        "F1, mean over labels on screen": "0.611 (3 labels)",
        "recall, mean over labels on screen": "0.528",
        "falsely tagged samples, of them at a border": "2, 1",
        "pairs made up, of them at a border": "3, 1",
        "pairs missed, of them at a border": "5, 1",
    }
    assert labels_table(choice).splitlines()[2:] == [
        "| ant | 6 | 0.833 | 0.833 | 1 |",
        "| bee | 4 | 0.250 | 0.500 | 1 |",
        "| cat (not known) | 2 | 0.500 | 1.000 | 0 |",
        "| dog | 0 |  | 0.000 | 1 |",
    ]
    assert clips_table(choice).splitlines()[2:] == [
        "| 2 | 5 | 0.545 | bee 2, cat 1 | ant 1, bee 1 | 2 of 3 |",  # 6 / 11
        "| 1 | 4 | 0.727 | ant 1, bee 1 | dog 1 | 0 of 0 |",  # 8 / 11
    ]


def test_json_has_the_same_figures(samples: list[Sample]) -> None:
    found = choice_json(Scored(LABELS, frozenset({"cat"}), samples, 1, onset_of))
    assert (found["samples"], found["samples_left_out"], found["labels_not_known"]) == (
        9,
        1,
        ["cat"],
    )
    assert found["f1"] == pytest.approx(14 / 22)
    assert found["by_number_on_screen"]["2"]["f1"] == pytest.approx(6 / 8)
    assert found["by_clip"]["zoo 2"]["falsely_tagged"] == 2
    assert found["at_borders"] == {"made_up": 1, "missed": 1, "falsely_tagged": 1}


@pytest.mark.parametrize(
    ("count", "shown"),
    # Made up: 3 (dog, 0.8), 9 (bee, 0.6). Missed: 4 (cat, below all that is stored), 1 (ant, 0.3).
    [(36, [3, 9, 4, 1]), (3, [3, 4, 1]), (2, [3, 4])],
)
def test_the_worst_of_each_clip_is_shown_but_not_what_a_border_explains(
    count: int, shown: list[int], samples: list[Sample]
) -> None:
    assert numbers(worst_samples(samples, count)) == shown


def test_what_is_wrong_right_after_another_clip_is_a_border_s_mistake() -> None:
    # The second clip begins at 1.11 s: after the look at 1.0 s, before sample 3 with its dog.
    later = replace(FOOTAGE, clips=ranges(("1", 0, 3), ("2", 3, 10)))
    samples, _ = samples_of(later, LABELS)
    assert at_borders(samples) == Borders(made_up=2, missed=1, falsely_tagged=1)
    assert numbers(worst_samples(samples)) == [9, 4, 1]


def test_several_episodes_are_counted_together_and_their_clips_apart(
    samples: list[Sample],
) -> None:
    other = Footage(
        Path("farm.mp4"),
        GRID,
        truth=ranges(("dog", 0, 1)),
        clips=[],
        found=ranges(("dog", 0, 1)),
        looks=[],
    )
    both = [*samples, *samples_of(other, LABELS)[0]]
    assert score(both).total == LabelScore(8, 3, 5)
    lines = clips_table(Scored(LABELS, frozenset(), both, 1, onset_of)).splitlines()[2:]
    assert [line.split(" | ")[0] for line in lines] == ["| zoo 2", "| zoo 1"]


@pytest.mark.parametrize("text", ["0", "0.37", "0.185", "0.74", "0.0925"])
def test_episodes_are_not_sampled_on_the_grid_that_is_scored(text: str) -> None:
    with pytest.raises(ArgumentTypeError, match="the grid that is scored"):
        _every_seconds(text)
    assert _every_seconds("0.5") == Fraction(1, 2)
