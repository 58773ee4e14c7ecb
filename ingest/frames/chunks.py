"""Cut an episode into chunks at keyframes. Pure.

A chunk starts where decoding can start, so that no frame is decoded twice; and chunks tile the
episode, so that each sample time lies in exactly one of them.
"""

from bisect import bisect_left, bisect_right
from collections.abc import Sequence
from dataclasses import dataclass
from fractions import Fraction


@dataclass(frozen=True)
class ChunkRange:
    """A half-open range of an episode: start_pts <= pts < end_pts."""

    start_pts: int
    end_pts: int

    def __post_init__(self) -> None:
        """Check that the range is not empty."""
        if self.start_pts >= self.end_pts:
            raise ValueError(f"a chunk must not be empty: [{self.start_pts}, {self.end_pts})")


def plan_chunks(
    start_pts: int,
    end_pts: int,
    key_pts: Sequence[int],
    time_base: Fraction,
    chunk_seconds: Fraction,
) -> tuple[ChunkRange, ...]:
    """Tile [start_pts, end_pts) with chunks whose inner borders are keyframes.

    Args:
        start_pts: The first displayed frame.
        end_pts: The half-open end.
        key_pts: The pts of displayed keyframes, ascending.
        time_base: Seconds per pts unit.
        chunk_seconds: Least duration of a chunk, except the last.

    Returns:
        The chunks in order; one chunk where there is no keyframe at which to cut.

    Raises:
        ValueError: The range is empty or chunk_seconds is not positive.
    """
    if chunk_seconds <= 0:
        raise ValueError(f"chunk_seconds must be positive, not {chunk_seconds}")
    borders = [start_pts]
    for key in key_pts:
        if key < end_pts and (key - borders[-1]) * time_base >= chunk_seconds:
            borders.append(key)
    ends = [*borders[1:], end_pts]
    return tuple(ChunkRange(start, end) for start, end in zip(borders, ends, strict=True))


def split_chunk(chunk: ChunkRange, key_pts: Sequence[int]) -> tuple[ChunkRange, ChunkRange] | None:
    """Cut a chunk in two at the keyframe nearest to its middle.

    Returns:
        The two halves, or None where no keyframe lies inside.
    """
    inner = key_pts[bisect_right(key_pts, chunk.start_pts) : bisect_left(key_pts, chunk.end_pts)]
    if not inner:
        return None
    border = min(inner, key=lambda pts: abs(2 * pts - chunk.start_pts - chunk.end_pts))
    return ChunkRange(chunk.start_pts, border), ChunkRange(border, chunk.end_pts)
