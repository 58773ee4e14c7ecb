"""What packets tell before decoding, against tables made by hand."""

from fractions import Fraction

import pytest

from ingest.description.packet_scan import (
    FrameTimes,
    ScannedPacket,
    clock_restart,
    frame_times,
    measured_rate,
)

MILLISECONDS = Fraction(1, 1000)


def scanned(
    times: list[int], duration: int = 40, keys: tuple[int, ...] = (0,), hidden: tuple[int, ...] = ()
) -> list[ScannedPacket]:
    return [
        ScannedPacket(pts, pts, duration, is_key=pts in keys, is_discard=pts in hidden)
        for pts in times
    ]


def times_of(packets: list[ScannedPacket], start_pts: int | None = None) -> FrameTimes:
    times = frame_times(packets, start_pts, Fraction(25), MILLISECONDS)
    assert times is not None
    return times


def test_frames_are_ordered_by_display_and_end_with_the_last_one() -> None:
    times = times_of(scanned([0, 120, 40, 80], keys=(0, 120)))

    assert times.pts == (0, 40, 80, 120)
    assert times.key_pts == (0, 120)
    assert times.end_pts == 160
    assert not times.rate_varies


def test_packets_that_an_edit_list_hides_are_not_displayed() -> None:
    assert times_of(scanned([-40, 0, 40], hidden=(-40,))).pts == (0, 40)


def test_leading_pictures_before_the_first_shown_frame_are_left_out() -> None:
    assert times_of(scanned([80, 0, 40, 120], keys=(80,)), start_pts=80).pts == (80, 120)


def test_rounded_steps_do_not_vary() -> None:
    ntsc = [round(n * 1001 / 30) for n in range(60)]
    times = times_of(scanned(ntsc, duration=33))

    assert not times.rate_varies
    assert measured_rate(times, Fraction(30000, 1001), MILLISECONDS) == Fraction(30000, 1001)


def test_uneven_steps_vary_and_the_rate_is_their_mean() -> None:
    times = times_of(scanned([0, 40, 100, 110, 200, 260, 360], duration=40))

    assert times.rate_varies
    assert measured_rate(times, None, MILLISECONDS) == Fraction(7000, 400)


def test_pause_in_an_even_stream_is_a_gap() -> None:
    before = [40 * n for n in range(100)]
    after = [9000 + 40 * n for n in range(100)]
    times = times_of(scanned([*before, *after]))

    assert times.gaps(MILLISECONDS) == ((4000, 9000),)


def test_pause_that_a_packet_declares_is_a_still_picture() -> None:
    packets = scanned([40 * n for n in range(200)])
    packets += [ScannedPacket(8000, 8000, 5000, is_key=False, is_discard=False)]
    packets += scanned([13000 + 40 * n for n in range(200)])

    assert times_of(packets).gaps(MILLISECONDS) == ()


def test_frame_whose_time_is_damaged_does_not_stretch_the_episode() -> None:
    times = times_of(scanned([*range(0, 4000, 40), 4_000_000_000]))

    assert times.end_pts == 4000


def test_no_packet_on_display_gives_no_times() -> None:
    assert frame_times([], None, None, MILLISECONDS) is None


SECOND = 90_000
TEN_SECONDS = [3600 * n for n in range(250)]
HOUR = 3600 * SECOND
ROUND = 2**33


@pytest.mark.parametrize(
    ("before", "after"),
    [
        (TEN_SECONDS, TEN_SECONDS),
        (TEN_SECONDS, [dts + 8 * SECOND for dts in TEN_SECONDS]),
        # The demuxer takes a clock that goes back by a minute or more for one that went round.
        ([dts + HOUR for dts in TEN_SECONDS], [dts + ROUND for dts in TEN_SECONDS]),
    ],
    ids=["same times", "overlap", "an hour back"],
)
def test_clock_that_starts_anew_is_found(before: list[int], after: list[int]) -> None:
    assert clock_restart(scanned([*before, *after])) == before[-1]


@pytest.mark.parametrize(
    "times",
    [
        TEN_SECONDS,
        [dts + ROUND - 5 * SECOND for dts in TEN_SECONDS],
        [*TEN_SECONDS, *(dts + 2 * HOUR for dts in TEN_SECONDS)],
        [*TEN_SECONDS, *(dts + 9 * SECOND for dts in TEN_SECONDS)],
        [*TEN_SECONDS[:100], 0, *TEN_SECONDS[101:]],
        [*TEN_SECONDS[:100], ROUND - 1, *TEN_SECONDS[101:]],
        [*TEN_SECONDS[:100], *TEN_SECONDS[103:100:-1], *TEN_SECONDS[104:]],
        TEN_SECONDS[:3],
        [],
    ],
    ids=[
        "even",
        "once round",
        "hours are lost",
        "a second is there twice",
        "a time too small",
        "a time too large",
        "out of order",
        "few",
        "none",
    ],
)
def test_clock_that_goes_on_is_left_alone(times: list[int]) -> None:
    assert clock_restart(scanned(times)) is None


@pytest.mark.parametrize("rate", [Fraction(25), Fraction(1, 2**31), None])
def test_a_lone_frame_lasts_no_longer_than_any_picture_may(rate: Fraction | None) -> None:
    # Thirty frames, each as long as 68 years: every step is a jump, so that one of them is left.
    long = 2**31 * 1000
    packets = scanned([n * long for n in range(30)], duration=long)
    times = frame_times(packets, 0, rate, MILLISECONDS)
    assert times is not None
    assert times.step_pts == (40 if rate == 25 else 1)
    assert times.end_pts == times.pts[0] + times.step_pts
