"""The gate: what a requirement says, and what falls short of it."""

import pytest

from castline.errors import RequestError
from castline.models.gate import (
    DEFAULT_REQUIREMENT,
    Demand,
    Measured,
    parse_requirement,
    regressions,
)

PLACE = "dataset"


def measured(figure: str, before: float, after: float, label: str = "") -> Measured:
    return Measured(PLACE, figure, label, before, after)


def test_a_requirement_is_read_part_by_part() -> None:
    assert parse_requirement(DEFAULT_REQUIREMENT) == (
        Demand("macro_f1", -0.005),
        Demand("per_label_f1", -0.03),
    )
    assert parse_requirement(" accuracy>=.01 ,micro_f1 >= 0") == (
        Demand("accuracy", 0.01),
        Demand("micro_f1", 0.0),
    )


@pytest.mark.parametrize(
    "text",
    ["", "macro_f1", "macro_f1 > 0", "macro_f1 >= much", "beauty >= 0", "macro_f1 >= 0,,", "a b"],
)
def test_what_is_no_requirement_is_refused_with_an_example(text: str) -> None:
    with pytest.raises(RequestError, match="write for example") as caught:
        parse_requirement(text)
    assert DEFAULT_REQUIREMENT in str(caught.value)


@pytest.mark.parametrize(
    ("after", "falls_short"), [(0.9, False), (0.895, False), (0.8949, True), (0.95, False)]
)
def test_a_figure_may_fall_to_the_bound_and_no_further(after: float, falls_short: bool) -> None:
    found = regressions([measured("macro_f1", 0.9, after)], parse_requirement("macro_f1>=-0.005"))
    assert bool(found) == falls_short


def test_a_gain_may_be_required() -> None:
    demands = parse_requirement("macro_f1 >= 0.01")
    assert regressions([measured("macro_f1", 0.9, 0.905)], demands)
    assert not regressions([measured("macro_f1", 0.9, 0.911)], demands)


def test_each_label_that_falls_is_named_with_its_figures() -> None:
    found = regressions(
        [
            measured("macro_f1", 0.90, 0.91),
            measured("per_label_f1", 0.80, 0.95, "bart"),
            measured("per_label_f1", 0.90, 0.80, "ned"),
        ],
        parse_requirement(DEFAULT_REQUIREMENT),
    )
    assert [str(item) for item in found] == [
        "F1 of ned on dataset: 0.900 to 0.800, -0.100 where -0.03 is allowed"
    ]


def test_a_figure_that_was_measured_nowhere_cannot_be_required() -> None:
    with pytest.raises(RequestError, match="accuracy was measured nowhere"):
        regressions([measured("micro_f1", 0.9, 0.9)], parse_requirement("accuracy >= 0"))
