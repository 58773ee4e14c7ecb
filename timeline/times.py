"""Parse and format times as people write them."""

import re
from fractions import Fraction

from timeline.errors import TimelineError

# Minutes alone may exceed 59 (films are said to last "75:30"); after a colon two digits are
# required, for "1:5" may mean 1:05 or 1:50. [0-9] and not \d, which accepts the digits of any
# script. Nine digits are 31 years of seconds, and 99 decimals more than any program writes; Python
# refuses much longer ones as int or float.
_FORMS = re.compile(
    r"(?:(?:(?P<hours>[0-9]{1,9}):(?P<minutes_of_hour>[0-5][0-9])|(?P<minutes>[0-9]{1,9})):"
    r"(?P<seconds_of_minute>[0-5][0-9](?:\.[0-9]{1,99})?)"
    r"|(?P<seconds>[0-9]{1,9}(?:\.[0-9]{1,99})?))"
)


def parse_time(text: str) -> Fraction:
    """Parse a time such as `90`, `90.5`, `MM:SS` or `HH:MM:SS.mmm`.

    Returns:
        The exact time in seconds, never negative.

    Raises:
        TimelineError: The text has none of these forms.
    """
    match = _FORMS.fullmatch(text.strip())
    if match is None:
        raise TimelineError(
            f"{text!r} is not a time: write seconds (90 or 90.5), MM:SS or HH:MM:SS.mmm"
        )
    hours, minutes_of_hour, minutes, seconds_of_minute, seconds = match.groups(default="0")
    whole, _, decimals = (seconds if match["seconds"] else seconds_of_minute).partition(".")
    unit = 10 ** len(decimals)  # one fraction per time: truth files may have a million of them
    before = 3600 * int(hours) + 60 * (int(minutes_of_hour) + int(minutes))
    return Fraction(before * unit + int(whole + decimals), unit)


def format_time(seconds: Fraction | float) -> str:
    """Format a time as `HH:MM:SS.mmm`, rounded to the nearest millisecond.

    Args:
        seconds: The time; a negative one (streams may start before zero) gets a leading minus.

    Raises:
        TimelineError: The time is not a finite number.
    """
    milliseconds = round(_exact(seconds) * 1000)
    sign = "-" if milliseconds < 0 else ""
    whole_seconds, milliseconds = divmod(abs(milliseconds), 1000)
    minutes, second = divmod(whole_seconds, 60)
    hour, minute = divmod(minutes, 60)
    return f"{sign}{hour:02}:{minute:02}:{second:02}.{milliseconds:03}"


def format_clock(seconds: Fraction | float) -> str:
    """Format a time as `MM:SS`, or `H:MM:SS` from one hour on, as a clock shows it: rounded down.

    Raises:
        TimelineError: The time is not a finite number.
    """
    exact = _exact(seconds)
    sign = "-" if exact <= -1 else ""
    minutes, second = divmod(int(abs(exact)), 60)
    hour, minute = divmod(minutes, 60)
    return f"{sign}{hour}:{minute:02}:{second:02}" if hour else f"{sign}{minute:02}:{second:02}"


def _exact(seconds: Fraction | float) -> Fraction:
    try:
        return Fraction(seconds)
    except (ValueError, OverflowError) as error:  # NaN, infinity
        raise TimelineError(f"{seconds} is not a time: a finite number of seconds") from error
