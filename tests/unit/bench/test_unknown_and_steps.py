"""Figures of the recogniser in frames, against tables worked out by hand."""

from fractions import Fraction

import numpy as np
import pytest

from bench.stills_to_frames import Seen, Step, score_step, steps_of, table
from bench.unknown import page
from model.evaluation.predictions import Predictions
from tests.stills.models import LABELS, manifest_by_lot
from timeline.appearances.rules import Rules
from timeline.scoring.truth import LabelledRange
from worker.parameters import RunParameters

BOTH_LABELS = ("ant", "bee")

# One frame each half second; the columns are ant, bee and unknown.
FULL = [[0.9, 0.05, 0.05], [0.1, 0.1, 0.8], [0.2, 0.1, 0.7], [0.5, 0.1, 0.4]]
LEFT = [[0.5, 0.1, 0.4], [0.1, 0.6, 0.3], [0.1, 0.1, 0.8], [0.3, 0.1, 0.6]]
# On screen: ant, bee, nobody, ant.
TRUTH = [
    LabelledRange("ant", Fraction(0), Fraction(1, 2)),
    LabelledRange("bee", Fraction(1, 2), Fraction(1)),
    LabelledRange("", Fraction(1), Fraction(3, 2)),
    LabelledRange("ant", Fraction(3, 2), Fraction(2)),
]
BOTH = ("full", "left")
ONE = Rules(onset=0.6, offset=0.6)
OWN = Rules(onset=0.6, offset=0.6, label_thresholds={"ant": (0.7, 0.7)})


def seen(full: list[list[float]], left: list[list[float]]) -> Seen:
    """Frames each 5 ticks of a tenth of a second, the first of them at 100."""
    confidences = np.stack([np.array(full), np.array(left)], axis=1)
    pts = tuple(100 + 5 * number for number in range(len(full)))
    return Seen(
        BOTH, ("ant", "bee", "unknown"), confidences, pts, (), 100, pts[-1] + 5, Fraction(1, 10)
    )


@pytest.mark.parametrize(
    ("step", "counts"),  # right, made up, missed, false where nobody is
    [
        # Without unknown ant has 0.95, 0.50, 0.67 and 0.83 of the full frames; bee at most 0.5.
        (Step("full", ("full",), False, ONE), (2, 1, 1, 1)),
        # The left half of the second frame adds bee: 0.6 / 0.7.
        (Step("regions", BOTH, False, ONE), (3, 1, 0, 1)),
        # Ant's 0.67 on the third frame is no longer enough.
        (Step("own", BOTH, False, OWN), (3, 0, 0, 0)),
        # With unknown ant keeps 0.5 of the fourth frame: that one is missed.
        (Step("unknown", BOTH, True, OWN), (2, 0, 1, 0)),
    ],
    ids=lambda value: value.name if isinstance(value, Step) else "",
)
def test_each_step_finds_what_the_table_says(step: Step, counts: tuple[int, int, int, int]) -> None:
    found = score_step(step, seen(FULL, LEFT), TRUTH, BOTH_LABELS)
    assert (found.samples, found.samples_with_nobody) == (4, 1)
    assert counts == (
        found.true_positives,
        found.false_positives,
        found.false_negatives,
        found.false_tag_samples,
    )


def test_labels_of_which_no_truth_tells_do_not_count() -> None:
    step = Step("regions", BOTH, False, ONE)
    # the one that is made up is ant
    found = score_step(step, seen(FULL, LEFT), TRUTH[1:3], ["bee"])
    assert (found.true_positives, found.false_positives, found.false_tag_samples) == (1, 0, 0)


def test_hysteresis_keeps_what_has_started_until_the_offset() -> None:
    full = [[share, 0.0, 1 - share] for share in (0.9, 0.5, 0.3, 0.5)]
    step = Step("all", BOTH, True, Rules(onset=0.7, offset=0.4))
    truth = [LabelledRange("ant", Fraction(0), Fraction(2))]
    found = score_step(step, seen(full, full), truth, BOTH_LABELS)
    assert (found.true_positives, found.false_negatives) == (2, 2)


def test_steps_say_what_a_model_version_lacks_and_end_with_the_rules_of_tagging() -> None:
    plain = manifest_by_lot()
    names = [step.name for step in steps_of(plain)]
    assert [name.endswith("(this version has none)") for name in names] == [
        *(False, False, True, True, False, False)
    ]
    whole = manifest_by_lot(labels=(*LABELS, "unknown"), label_thresholds={LABELS[0]: (0.8, 0.5)})
    steps = steps_of(whole)
    assert not any("none" in step.name for step in steps)
    assert [step.unknown_competes for step in steps] == [False] * 3 + [True] * 3
    assert steps[1].rules.thresholds(LABELS[0]) == (0.4, 0.4)
    assert steps[2].rules.thresholds(LABELS[0]) == (0.8, 0.8)
    assert steps[-1].rules == RunParameters.for_model(whole).rules


def test_the_table_is_markdown_with_two_columns_per_episode() -> None:
    one = score_step(Step("full", ("full",), False, ONE), seen(FULL, LEFT), TRUTH, BOTH_LABELS)
    lines = table(["a", "b"], [("full", [one, one])]).splitlines()
    assert lines[1] == "|---|---:|---:|---:|---:|"
    # 2 right, 1 made up, 1 missed: 4 / 6
    assert lines[2] == "| full | 0.667 | 1 of 1 (100.0%) | 0.667 | 1 of 1 (100.0%) |"


def test_strangers_are_told_apart_as_counted_by_hand() -> None:
    confidences = np.array([[0.9, 0.1, 0.0], [0.1, 0.8, 0.1], [0.7, 0.2, 0.1], [0.1, 0.1, 0.8]])
    # ant, bee and bee, the last one taken for ant; then somebody unknown, said to be so
    answers = Predictions(("ant", "bee", "unknown"), np.array([0, 1, 1, 2]), confidences)
    text = page(answers, {"others": np.array([0.85, 0.1])})
    # Of six pairs of a known one (0.9, 0.8, 0.7) and a stranger, 1 + 3 are in order. All three
    # known are accepted from 0.7 on, and one stranger of two.
    assert "| others | 2 | 0.6667 | 50.0% |" in text
    # Each in a bin of its own: (0.1 + 0.2 + 0.7) / 3; with the fourth in one bin with the
    # second, both right at 0.8: (0.1 + 0.7 + 2 * 0.2) / 4.
    assert "33.33% on the known" in text
    assert "30.00% on all 4" in text
    assert "Accuracy 0.6667" in text
