"""Decimal times for export formats, rounded DOWN.

The frame that starts a range stays inside it, and the frame that ends it stays outside, so the
frames of a range are restored exactly.
"""

from fractions import Fraction
from math import floor


def decimal(seconds: Fraction, digits: int = 6) -> str:
    """Format seconds with this number of decimals."""
    whole, rest = divmod(floor(seconds * 10**digits), 10**digits)
    return f"{whole}.{rest:0{digits}}"


def rounded_down(seconds: Fraction, digits: int = 6) -> Fraction:
    """Return the value that `decimal` writes."""
    return Fraction(floor(seconds * 10**digits), 10**digits)


def clock(seconds: Fraction, digits: int = 3, point: str = ".") -> str:
    """Format seconds as `HH:MM:SS.mmm`."""
    whole, rest = divmod(floor(seconds * 10**digits), 10**digits)
    minutes, second = divmod(whole, 60)
    hour, minute = divmod(minutes, 60)
    return f"{hour:02}:{minute:02}:{second:02}{point}{rest:0{digits}}"
