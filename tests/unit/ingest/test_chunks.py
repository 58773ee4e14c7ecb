"""Cutting episodes into chunks, against tables made by hand."""

from fractions import Fraction

import pytest

from ingest.frames.chunks import ChunkRange, plan_chunks, split_chunk

MILLISECONDS = Fraction(1, 1000)


def test_borders_are_the_first_key_frames_after_each_minute() -> None:
    keys = [0, 25_000, 59_999, 61_000, 100_000, 121_000, 122_000]

    chunks = plan_chunks(0, 130_000, keys, MILLISECONDS, Fraction(60))

    assert chunks == (
        ChunkRange(0, 61_000),
        ChunkRange(61_000, 121_000),
        ChunkRange(121_000, 130_000),
    )


def test_episode_without_inner_key_frames_is_one_chunk() -> None:
    assert plan_chunks(7, 900_000, [7], MILLISECONDS, Fraction(60)) == (ChunkRange(7, 900_000),)


def test_first_chunk_starts_at_the_first_frame_even_before_the_first_key_frame() -> None:
    chunks = plan_chunks(40, 30_000, [500, 12_000], MILLISECONDS, Fraction(10))

    assert chunks == (ChunkRange(40, 12_000), ChunkRange(12_000, 30_000))


def test_key_frame_at_the_end_makes_no_empty_chunk() -> None:
    assert plan_chunks(0, 10_000, [0, 10_000], MILLISECONDS, Fraction(1)) == (
        ChunkRange(0, 10_000),
    )


@pytest.mark.parametrize("chunk_seconds", [Fraction(0), Fraction(-60)])
def test_chunk_length_that_is_not_positive_is_refused(chunk_seconds: Fraction) -> None:
    with pytest.raises(ValueError, match="chunk_seconds must be positive"):
        plan_chunks(0, 10, [0], MILLISECONDS, chunk_seconds)


def test_split_is_at_the_key_frame_nearest_to_the_middle() -> None:
    halves = split_chunk(ChunkRange(0, 100), [0, 10, 45, 70, 100])

    assert halves == (ChunkRange(0, 45), ChunkRange(45, 100))


def test_chunk_without_inner_key_frame_cannot_be_split() -> None:
    assert split_chunk(ChunkRange(10, 100), [0, 10, 100, 200]) is None


def test_empty_chunk_is_refused() -> None:
    with pytest.raises(ValueError, match="must not be empty"):
        ChunkRange(5, 5)
