"""Times as export formats write them, rounded DOWN.

The frame that starts a range stays inside it, the frame that ends it stays outside, and so the
frames of a range come back exactly.
"""

from fractions import Fraction
from math import floor


def decimal(seconds: Fraction, digits: int = 6) -> str:
    """Seconds with so many digits behind the point."""
    whole, rest = divmod(floor(seconds * 10**digits), 10**digits)
    return f"{whole}.{rest:0{digits}}"


def rounded_down(seconds: Fraction, digits: int = 6) -> Fraction:
    """What `decimal` writes."""
    return Fraction(floor(seconds * 10**digits), 10**digits)


def clock(seconds: Fraction, digits: int = 3, point: str = ".") -> str:
    """`HH:MM:SS.mmm`."""
    whole, rest = divmod(floor(seconds * 10**digits), 10**digits)
    minutes, second = divmod(whole, 60)
    hour, minute = divmod(minutes, 60)
    return f"{hour:02}:{minute:02}:{second:02}{point}{rest:0{digits}}"
