"""The gate of a promotion: what a model must not lose against the one in use.

    macro_f1 >= -0.005, per_label_f1 >= -0.03

Each part names a figure and the least that it may change by, wherever it was measured.
"""

import re
from collections.abc import Iterable, Sequence
from dataclasses import dataclass

from castline.errors import RequestError

DEFAULT_REQUIREMENT = "macro_f1 >= -0.005, per_label_f1 >= -0.03"
"""Half a point in all and three points of any label: about what two trainings differ by that
differ in their seed alone."""

FIGURES = ("accuracy", "macro_f1", "micro_f1", "per_label_f1")
"""What may be required: `accuracy` is measured on a dataset alone, `micro_f1` on episodes alone."""

ROUNDING = 1e-9
"""A difference of two F1 that is a bound by the pencil may miss it by a bit."""

_DEMAND = re.compile(r"\s*(\w+)\s*>=\s*([+-]?(?:\d+\.?\d*|\.\d+))\s*")


@dataclass(frozen=True)
class Demand:
    """One part of a requirement."""

    figure: str
    least_difference: float


@dataclass(frozen=True)
class Measured:
    """One figure of the model in use and of the one that may replace it."""

    place: str
    """The dataset or the episode."""
    figure: str
    label: str
    """Empty for figures of all labels together."""
    before: float
    after: float

    @property
    def difference(self) -> float:
        """By how much it changes; negative: for the worse."""
        return self.after - self.before


@dataclass(frozen=True)
class Regression:
    """A figure that changes by less than is required."""

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
    """Reads a requirement.

    Raises:
        RequestError: A part is not `FIGURE >= NUMBER`, or names no figure there is.
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
    """What falls short, in the order of the demands.

    Raises:
        RequestError: A figure is required that was measured nowhere.
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
