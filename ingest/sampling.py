"""Find the frames on display at the sample times. Pure and exact: integers and fractions only.

Sample k selects the frame on display at `start + k * every_seconds`: the frame with the greatest
pts at or before that time. Frame times are integers, so the sample time may be rounded down to a
pts without changing which frame that is, nor which half-open range holds it:

    frames at 0, 1001, 2002, ... of time base 1/24000; a sample every 1/2 s
    sample 0 at     0 -> frame     0
    sample 1 at 12000 -> frame 11011   (12012 comes after it)
"""

from bisect import bisect_right
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from fractions import Fraction
from math import ceil


@dataclass(frozen=True)
class SampleGrid:
    """The sample times of an episode, in pts."""

    origin_pts: int
    """The time of sample 0: the first displayed frame."""
    every_seconds: Fraction
    """The sampling interval, exact."""
    time_base: Fraction
    """Seconds per pts unit."""

    def __post_init__(self) -> None:
        """Check that both units are positive."""
        if self.every_seconds <= 0:
            raise ValueError(f"every_seconds must be positive, not {self.every_seconds}")
        if self.time_base <= 0:
            raise ValueError(f"time_base must be positive, not {self.time_base}")

    @property
    def step_pts(self) -> Fraction:
        """The sampling interval in pts; rarely a whole number."""
        return self.every_seconds / self.time_base

    def time_of(self, k: int) -> int:
        """Return the time of sample k in pts, rounded down."""
        return self.origin_pts + int(k * self.every_seconds // self.time_base)

    def seconds_at(self, pts: int) -> Fraction:
        """Return exact seconds from sample 0."""
        return (pts - self.origin_pts) * self.time_base

    def samples_in(self, start_pts: int, end_pts: int) -> range:
        """Return the sample numbers whose times lie in the half-open range."""
        first = max(0, ceil((start_pts - self.origin_pts) / self.step_pts))
        past = max(0, ceil((end_pts - self.origin_pts) / self.step_pts))
        return range(first, max(first, past))


def on_display(times: Iterable[int], frame_pts: Sequence[int]) -> dict[int, int | None]:
    """Map each time to the pts of the frame on display at that time.

    Args:
        times: The times to look up, in pts.
        frame_pts: The pts of the displayed frames, ascending.

    Returns:
        For each time the greatest frame pts at or before it; None before the first frame.
    """
    found: dict[int, int | None] = {}
    for time in times:
        index = bisect_right(frame_pts, time)
        found[time] = frame_pts[index - 1] if index else None
    return found
