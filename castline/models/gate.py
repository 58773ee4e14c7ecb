"""The promotion gate: how much worse than the model in use a model may be.

    macro_f1 >= -0.005, per_label_f1 >= -0.03

Each part names a metric and its least permitted change, wherever it was measured.
"""

import re
from collections.abc import Iterable, Sequence
from dataclasses import dataclass

from castline.errors import RequestError

DEFAULT_REQUIREMENT = "macro_f1 >= -0.005, per_label_f1 >= -0.03"
"""Half a point in total and three points for any label: about the difference between two trainings
with different seeds."""

FIGURES = ("accuracy", "macro_f1", "micro_f1", "per_label_f1")
"""The metrics in requirements: `accuracy` is measured on datasets only, `micro_f1` on episodes
only."""

ROUNDING = 1e-9
"""A difference of two F1 that is exactly a bound may miss it by a rounding error."""

_DEMAND = re.compile(r"\s*(\w+)\s*>=\s*([+-]?(?:\d+\.?\d*|\.\d+))\s*")


@dataclass(frozen=True)
class Demand:
    """One part of a requirement."""

    figure: str
    least_difference: float


@dataclass(frozen=True)
class Measured:
    """One metric of the model in use and of the candidate."""

    place: str
    """The dataset or the episode on which it was measured."""
    figure: str
    label: str
    """The label; empty for metrics over all labels."""
    before: float
    after: float

    @property
    def difference(self) -> float:
        """Change of the metric; negative if the candidate is worse."""
        return self.after - self.before


@dataclass(frozen=True)
class Regression:
    """A metric that changes by less than the requirement permits."""

    measured: Measured
    demand: Demand

    def __str__(self) -> str:
        found = self.measured
        name = f"F1 of {found.label}" if found.label else found.figure
        return (
            f"{name} on {found.place}: {found.before:.3f} to {found.after:.3f},"
            f" {found.difference:+.3f} where {self.demand.least_difference:+g} is allowed"
        )


def parse_requirement(text: str) -> tuple[Demand, ...]:
    """Parse a requirement.

    Raises:
        RequestError: A part is not `FIGURE >= NUMBER`, or names an unknown metric.
    """
    demands = []
    for part in text.split(","):
        matched = _DEMAND.fullmatch(part)
        if not matched or matched[1] not in FIGURES:
            raise RequestError(
                f"--require: {part.strip()!r} cannot be read; write for example"
                f" {DEFAULT_REQUIREMENT!r}, of {', '.join(FIGURES)}"
            )
        demands.append(Demand(matched[1], float(matched[2])))
    return tuple(demands)


def regressions(measured: Sequence[Measured], demands: Iterable[Demand]) -> list[Regression]:
    """Return the metrics that fall short, in the order of the demands.

    Raises:
        RequestError: A required metric was not measured.
    """
    found = []
    for demand in demands:
        figures = [item for item in measured if item.figure == demand.figure]
        if not figures:
            raise RequestError(
                f"--require: {demand.figure} was measured nowhere; accuracy needs --dataset,"
                " micro_f1 needs --episodes"
            )
        found += [
            Regression(item, demand)
            for item in figures
            if item.difference < demand.least_difference - ROUNDING
        ]
    return found
