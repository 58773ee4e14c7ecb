"""Times as people give them."""

from fractions import Fraction
from math import isfinite
from typing import TypeAlias

from timeline.errors import TimelineError
from timeline.times import parse_time

Time: TypeAlias = str | float | Fraction
"""Seconds from an episode's first frame: a number, or a text such as `83.5`, `1:23.5` or
`00:01:23.500`."""


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
