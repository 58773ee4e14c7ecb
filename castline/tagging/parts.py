"""The part of an episode to examine."""

from bisect import bisect_right
from dataclasses import dataclass
from fractions import Fraction
from math import ceil

from castline.asking.times import Time, exact_seconds
from castline.errors import RequestError
from exact.ranges import PtsRange
from exact.video_file import VideoFile
from ingest.errors import VideoError
from timeline.times import format_time


@dataclass(frozen=True)
class Part:
    """A half-open range in seconds from the first frame; None stands for the episode's end."""

    start_seconds: Fraction | None = None
    end_seconds: Fraction | None = None

    @classmethod
    def asked(cls, from_: Time | None, to: Time | None) -> "Part":
        """Read a part.

        Raises:
            RequestError: It ends before it starts.
            TimelineError: One of them is not a time.
        """
        start, end = (None if time is None else exact_seconds(time) for time in (from_, to))
        if end is not None and (start or 0) >= end:
            given = "" if from_ is None else f"--from {from_} "
            raise RequestError(f"{given}--to {to}: the part must end after its start")
        return cls(start, end)

    def range_in(self, file: VideoFile) -> PtsRange | None:
        """Return the part in pts, from the key frame before its start; None for the whole episode.

        Raises:
            VideoError: The episode ends before the part starts.
        """
        if self.start_seconds is not None and self.start_seconds >= file.duration_seconds:
            raise VideoError(
                f"{file.name}: ends at {format_time(file.duration_seconds)}; name a part before"
                " that with --from"
            )
        start_pts, end_pts = file.start_pts, file.end_pts
        if self.start_seconds is not None:
            asked_pts = file.start_pts + int(self.start_seconds / file.time_base)
            before = bisect_right(file.key_pts, asked_pts)
            start_pts = file.key_pts[before - 1] if before else file.start_pts
        if self.end_seconds is not None:
            end_pts = min(end_pts, file.start_pts + ceil(self.end_seconds / file.time_base))
        is_whole = (start_pts, end_pts) == (file.start_pts, file.end_pts)
        return None if is_whole else (start_pts, end_pts)


WHOLE = Part()
