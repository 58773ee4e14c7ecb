"""Times as people give them."""

from fractions import Fraction
from math import isfinite
from typing import NamedTuple, TypeAlias

from castline.errors import RequestError
from timeline.errors import TimelineError
from timeline.times import parse_time

Time: TypeAlias = str | float | Fraction
"""Seconds from an episode's first frame: a number, or a text such as `83.5`, `1:23.5` or
`00:01:23.500`."""


ROUNDING = Fraction(1, 2000)
"""The most seconds by which `format_time` rounds."""


def exact_seconds(time: Time) -> Fraction:
    """Reads a time.

    Raises:
        TimelineError: It is none.
    """
    if isinstance(time, str):
        return parse_time(time)
    if not isfinite(time) or time < 0:
        raise TimelineError(f"{time} is not a time: a finite number of seconds, 0 or more")
    return Fraction(time)


class AskedTimes(NamedTuple):
    """The seconds that a question is limited to, for comparing them with exact ones.

    They are moved by what tables round, so that times compare as they are printed: at the start
    that a table shows somebody is on screen, and at the end nobody is.
    """

    at: float | None
    start: float | None
    end: float | None

    def meets(self, start_seconds: float, end_seconds: float) -> bool:
        """Whether a half-open range is asked about."""
        if self.at is not None:
            return start_seconds <= self.at < end_seconds
        starts_in_time = self.end is None or start_seconds < self.end
        return starts_in_time and (self.start is None or self.start < end_seconds)


def asked_times(at: Time | None, from_: Time | None, to: Time | None) -> AskedTimes:
    """Reads the moment or the range that a question is about.

    Raises:
        RequestError: Both are given, or the range is empty.
        TimelineError: One of them is no time.
    """
    if at is not None and (from_ is not None or to is not None):
        raise RequestError("--at is a moment, --from and --to are a range; leave one of them out")
    moment, start, end = (None if time is None else exact_seconds(time) for time in (at, from_, to))
    if start is not None and end is not None and start >= end:
        raise RequestError(f"--from {from_} --to {to}: the range must end after its start")
    return AskedTimes(
        None if moment is None else float(moment + ROUNDING),
        None if start is None else float(start + ROUNDING),
        None if end is None else float(end - ROUNDING),
    )
