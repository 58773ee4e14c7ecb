"""Totals of a run's appearances: per label, and per pair of labels on screen together."""

from collections import defaultdict
from collections.abc import Iterable, Iterator
from fractions import Fraction
from itertools import groupby
from math import fsum
from typing import NamedTuple

from db.records import AppearanceRecord


class LabelTotal(NamedTuple):
    """Number of appearances, screen time and first appearance of a label."""

    label: str
    appearances: int
    seconds: float
    first_pts: int


class PairTotal(NamedTuple):
    """Number and duration of the times that two labels share the screen."""

    label: str
    """The first of them by code points, so that a pair has one row."""
    other: str
    times: int
    seconds: float


LABEL_COLUMNS = ("run_id", *LabelTotal._fields)
PAIR_COLUMNS = ("run_id", *PairTotal._fields)


def label_totals(appearances: Iterable[AppearanceRecord]) -> Iterator[LabelTotal]:
    """Return the totals of appearances for each label."""
    in_order = sorted(appearances, key=lambda item: (item.label, item.start_pts))
    for label, each in groupby(in_order, key=lambda item: item.label):
        some = list(each)
        seconds = fsum(item.end_seconds - item.start_seconds for item in some)
        yield LabelTotal(label, len(some), seconds, some[0].start_pts)


def pair_totals(
    appearances: Iterable[AppearanceRecord], time_base: Fraction
) -> Iterator[PairTotal]:
    """Return the totals of appearances for each pair of labels, given the seconds per pts unit."""
    times: dict[tuple[str, str], int] = defaultdict(int)
    pts: dict[tuple[str, str], int] = defaultdict(int)
    on_screen: list[AppearanceRecord] = []
    for item in sorted(appearances, key=lambda item: item.start_pts):
        on_screen = [other for other in on_screen if other.end_pts > item.start_pts]
        for other in on_screen:
            if other.label != item.label:
                one, two = sorted((item.label, other.label))
                times[one, two] += 1
                pts[one, two] += min(item.end_pts, other.end_pts) - item.start_pts
        on_screen.append(item)
    for (one, two), count in times.items():
        yield PairTotal(one, two, count, float(pts[one, two] * time_base))
