"""Sample times, against tables made by hand."""

from fractions import Fraction
from itertools import pairwise

import pytest
from hypothesis import given
from hypothesis import strategies as st

from ingest.sampling import SampleGrid, on_display

NTSC_FILM = Fraction(1, 24000)
"""Frames at multiples of 1001 in this time base: 24000/1001 per second."""


def test_samples_of_film_rate_fall_on_the_frames_that_a_ruler_shows() -> None:
    grid = SampleGrid(0, Fraction(1, 2), NTSC_FILM)
    frames = [1001 * n for n in range(48)]

    times = [grid.time_of(k) for k in range(4)]

    assert times == [0, 12000, 24000, 36000]
    # 12000 / 1001 = 11.98.., 24000 / 1001 = 23.97.., 36000 / 1001 = 35.96..
    assert on_display(times, frames) == {0: 0, 12000: 11011, 24000: 23023, 36000: 35035}


def test_grid_starts_at_the_first_frame_not_at_zero() -> None:
    grid = SampleGrid(5000, Fraction(1, 2), Fraction(1, 1000))

    assert [grid.time_of(k) for k in grid.samples_in(5000, 6501)] == [5000, 5500, 6000, 6500]


def test_sample_on_a_border_belongs_to_the_chunk_that_starts_there() -> None:
    grid = SampleGrid(0, Fraction(1, 2), Fraction(1, 1000))

    assert list(grid.samples_in(0, 1000)) == [0, 1]
    assert list(grid.samples_in(1000, 2000)) == [2, 3]


def test_no_frame_is_on_display_before_the_first() -> None:
    assert on_display([9, 10], [10, 20]) == {9: None, 10: 10}


def test_frame_that_stays_is_on_display_for_several_samples() -> None:
    assert on_display([0, 500, 1000, 1500], [0, 1400]) == {0: 0, 500: 0, 1000: 0, 1500: 1400}


@given(
    st.lists(st.integers(0, 100_000), min_size=2, max_size=20, unique=True),
    st.fractions(min_value=Fraction(1, 50), max_value=7, max_denominator=1001),
    st.sampled_from([Fraction(1, 1000), NTSC_FILM, Fraction(1, 90000), Fraction(1, 25)]),
)
def test_chunks_that_tile_share_no_sample_and_lose_none(
    borders: list[int], every_seconds: Fraction, time_base: Fraction
) -> None:
    borders = sorted(borders)
    grid = SampleGrid(borders[0], every_seconds, time_base)

    whole = list(grid.samples_in(borders[0], borders[-1]))
    pieces = [
        k for start, end in pairwise(borders)
        for k in grid.samples_in(start, end)
    ]  # fmt: skip

    assert pieces == whole


@pytest.mark.parametrize("every_seconds", [Fraction(0), Fraction(-1, 2)])
def test_interval_that_is_not_positive_is_refused(every_seconds: Fraction) -> None:
    with pytest.raises(ValueError, match="must be positive"):
        SampleGrid(0, every_seconds, NTSC_FILM)
