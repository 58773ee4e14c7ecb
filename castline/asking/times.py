"""Times as users give them."""

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
"""Largest rounding error of `format_time` in seconds."""


def exact_seconds(time: Time) -> Fraction:
    """Parse a time.

    Raises:
        TimelineError: It is not a time.
    """
    if isinstance(time, str):
        return parse_time(time)
    if not isfinite(time) or time < 0:
        raise TimelineError(f"{time} is not a time: a finite number of seconds, 0 or more")
    return Fraction(time)


class AskedTimes(NamedTuple):
    """The range of seconds to which a question is limited, for comparison with exact seconds.

    It is widened by the rounding of printed tables, so that times compare as they are printed: at
    the printed start a character is on screen, and at the printed end it is not.
    """

    at: float | None
    start: float | None
    end: float | None

    def meets(self, start_seconds: float, end_seconds: float) -> bool:
        """Tell whether a half-open range overlaps the requested time."""
        if self.at is not None:
            return start_seconds <= self.at < end_seconds
        starts_in_time = self.end is None or start_seconds < self.end
        return starts_in_time and (self.start is None or self.start < end_seconds)


def asked_times(at: Time | None, from_: Time | None, to: Time | None) -> AskedTimes:
    """Parse the moment or the range to which a question is limited.

    Raises:
        RequestError: Both are given, or the range is empty.
        TimelineError: One of them is not a time.
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
