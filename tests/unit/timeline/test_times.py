"""Times as people write them."""

from fractions import Fraction

import pytest

from timeline.errors import TimelineError
from timeline.times import format_clock, format_time, parse_time


@pytest.mark.parametrize(
    ("text", "seconds"),
    [
        ("0", Fraction(0)),
        ("90", Fraction(90)),
        ("90.5", Fraction(181, 2)),
        (" 7 ", Fraction(7)),
        ("0.1", Fraction(1, 10)),  # exactly, which no float is
        ("01:30", Fraction(90)),
        ("1:30", Fraction(90)),
        ("75:30", Fraction(4530)),
        ("1:30.25", Fraction(361, 4)),
        ("00:21:40.048", Fraction(1300048, 1000)),
        ("1:00:00", Fraction(3600)),
        ("100:00:00.001", Fraction(360000001, 1000)),
        ("999999999", Fraction(999_999_999)),
        ("0." + "3" * 99, Fraction(10**99 // 3, 10**99)),
    ],
)
def test_every_form_of_a_time_is_read_exactly(text: str, seconds: Fraction) -> None:
    assert parse_time(text) == seconds


@pytest.mark.parametrize(
    "text",
    ["", "abc", "-1", "1:5", "1:60", "1:60:00", "1:2:3", "1e3", "1/2", "1:", ":30", "1.", ".5",
     "nan", "inf", "1_000", "٣", "1:00:00:00", "1:30\n2", "9" * 400, "9" * 400 + ":00",
     "9" * 400 + ":00:00", "0." + "1" * 5000, "0:00." + "1" * 5000],
)  # fmt: skip
def test_what_is_no_time_is_refused_in_one_line_that_shows_it(text: str) -> None:
    with pytest.raises(TimelineError) as caught:
        parse_time(text)
    message = str(caught.value)
    assert repr(text) in message
    assert "HH:MM:SS.mmm" in message
    assert "\n" not in message


@pytest.mark.parametrize(
    ("seconds", "text"),
    [
        (Fraction(0), "00:00:00.000"),
        (90.5, "00:01:30.500"),
        (Fraction(1300048, 1000), "00:21:40.048"),
        (Fraction(1001, 24000), "00:00:00.042"),  # 41.708 ms
        (Fraction(599999, 10000), "00:01:00.000"),  # 59.9999 s: the carry reaches the minute
        (360000, "100:00:00.000"),
        (Fraction(-3, 2), "-00:00:01.500"),
        (Fraction(-1, 10000), "00:00:00.000"),
    ],
)
def test_a_time_is_written_to_the_nearest_millisecond(seconds: Fraction | float, text: str) -> None:
    assert format_time(seconds) == text


@pytest.mark.parametrize(
    ("seconds", "text"),
    [(0, "00:00"), (59.99, "00:59"), (90, "01:30"), (3599, "59:59"), (3600, "1:00:00"),
     (Fraction(-90), "-01:30"), (-0.5, "00:00")],
)  # fmt: skip
def test_a_clock_shows_the_whole_seconds_that_have_passed(
    seconds: Fraction | float, text: str
) -> None:
    assert format_clock(seconds) == text


@pytest.mark.parametrize("seconds", [float("nan"), float("inf")])
def test_a_time_that_is_no_number_is_refused(seconds: float) -> None:
    with pytest.raises(TimelineError, match="finite"):
        format_time(seconds)
    with pytest.raises(TimelineError, match="finite"):
        format_clock(seconds)
