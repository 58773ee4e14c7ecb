"""Determine the range of time that each sampled frame represents.

Two samples a second see a character, but not the moment at which it appeared. Where the cuts are
known, a frame represents its shot:

    samples          a     b     c     d     e     f
    cuts                      |        |  |
    represented by   aaaabbbbb|cccccddd|--|eeeeffff

- Between two samples without a cut, the border lies in the middle: as often too early as too late.
- With one cut, the first sample counts until the cut, and the second from it.
- With several, the first counts until the first cut and the second from the last one. The time
  between was not examined.

Where the cuts are not known, each sample counts until the next sample. In both cases the first
sample counts from its own time, and so does the first one after a missing range; the last one
counts until the end, and the last before a missing range until that begins (or until the first cut,
since the time after it was not examined). A sample in a missing range represents nothing.
"""

from bisect import bisect_right
from collections.abc import Iterator, Sequence
from itertools import pairwise
from typing import NamedTuple

from exact.ranges import PtsRange, PtsRanges, holds, union
from timeline.errors import TimelineError


class Look(NamedTuple):
    """A sampled frame outside of missing ranges."""

    number: int
    """Its index among all sampled frames; a skipped number means a missing range."""
    pts: int
    until_pts: int
    """The next sample, missing range or the end: durations are counted from sample to sample,
    regardless of the borders."""
    start_pts: int
    end_pts: int
    """End of the half-open range that the sample represents; it starts at start_pts and contains
    pts."""
    shot: int
    """Number of cuts up to its pts."""
    follows: bool
    """Whether there is no missing range between the previous sample and this one."""


def looks_at(
    sampled_pts: Sequence[int],
    end_pts: int,
    missing: Sequence[PtsRange],
    cuts: Sequence[int] | None,
) -> list[Look]:
    """Return the range that each sampled frame represents, leaving out frames in missing ranges.

    Args:
        sampled_pts: The pts of the samples, ascending.
        end_pts: The end, later than all samples.
        missing: Missing ranges in any order.
        cuts: First frames of shots, ascending; None where they were not sought.

    Raises:
        TimelineError: An empty missing range, or cuts out of order.
    """
    lost = _joined(missing)
    if any(before >= after for before, after in pairwise(cuts or ())):
        raise TimelineError("cuts: each must be later than the one before")
    found: list[Look] = []
    next_start_pts = 0
    for number, pts, until_pts in _looked_at(sampled_pts, end_pts, lost):
        before = found[-1] if found else None
        follows = before is not None and before.number + 1 == number and before.until_pts == pts
        start_pts = next_start_pts if follows else pts
        next_pts = sampled_pts[number + 1] if number + 1 < len(sampled_pts) else None
        if until_pts == next_pts and not (lost and holds(lost, until_pts)):
            own_end_pts, next_start_pts = _border(pts, until_pts, cuts)
        else:
            own_end_pts = _last(pts, until_pts, cuts)
        shot = bisect_right(cuts or (), pts)
        found.append(Look(number, pts, until_pts, start_pts, own_end_pts, shot, follows))
    return found


def _looked_at(
    sampled_pts: Sequence[int], end_pts: int, lost: Sequence[PtsRange]
) -> Iterator[tuple[int, int, int]]:
    """Yield number, pts and until_pts of each frame outside of missing ranges."""
    starts = [start for start, _ in lost]
    pairs = zip(sampled_pts, [*sampled_pts, end_pts][1:], strict=True)
    for number, (pts, next_pts) in enumerate(pairs):
        if not lost:  # as in most episodes, whose looks are many
            yield number, pts, next_pts
        elif not holds(lost, pts):
            after = bisect_right(starts, pts)  # the first range that starts later
            yield number, pts, min([next_pts, *starts[after : after + 1]])


def _border(pts: int, next_pts: int, cuts: Sequence[int] | None) -> tuple[int, int]:
    """Return the end of the range of one sample, and the start of that of the next."""
    if cuts is None:
        return next_pts, next_pts
    first, past = bisect_right(cuts, pts), bisect_right(cuts, next_pts)
    if first < past:
        return cuts[first], cuts[past - 1]
    middle = pts + (next_pts - pts + 1) // 2  # after the first, though the next tick is the second
    return middle, middle


def _last(pts: int, until_pts: int, cuts: Sequence[int] | None) -> int:
    """Return the end of the range of the last sample before the end or a missing range."""
    first = bisect_right(cuts or (), pts)
    return min([until_pts, *(cuts or ())[first : first + 1]])


def _joined(ranges: Sequence[PtsRange]) -> PtsRanges:
    for start, end in ranges:
        if start >= end:
            raise TimelineError(f"missing range {start} to {end}: it must end after its start")
    return union(ranges)
