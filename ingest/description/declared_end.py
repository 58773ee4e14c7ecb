"""Find the declared end of a video, which shows how much is missing from a truncated file.

A truncated fast-start MP4 or MKV gives no error when read; it merely ends early. Its headers come
first, so they still declare the original length.
"""

import re
from fractions import Fraction
from typing import TYPE_CHECKING

from ingest.description.packet_scan import FrameTimes

if TYPE_CHECKING:
    from av.container import InputContainer
    from av.video.stream import VideoStream

TRUNCATION_SECONDS = 1
"""A file that ends earlier than declared by more than this was truncated; a smaller difference is
rounding, or a last frame without a duration."""

LONGEST_SECONDS = 24 * 3600
"""Headers that claim more than a day beyond the last frame are damaged themselves."""

MICROSECONDS = 1_000_000
"""Units per second of a container's own duration (AV_TIME_BASE)."""

_FROM_ZERO = ("matroska,webm", "flv")
"""Formats that declare the time of the end as their duration; others declare the length."""

_CLOCK = re.compile(r"(\d+):(\d\d):(\d\d(?:\.\d+)?)")


def declared_end_pts(
    container: "InputContainer",
    stream: "VideoStream",
    times: FrameTimes,
    all_end_seconds: Fraction,
) -> int | None:
    """Find the declared end of a truncated file.

    The video stream's own declaration counts, since subtitles may outlast the pictures; but only
    where the container does not contradict it, since a tag may be left over from a longer file. The
    container's declaration counts where the stream has none and all streams end early.

    Args:
        container: The open file.
        stream: Its video stream.
        times: The times of its displayed frames.
        all_end_seconds: When the last packet of any stream ends.

    Returns:
        The end in pts, or None where the file ends as declared, or declares nothing.
    """
    time_base = stream.time_base or Fraction(1)
    end_seconds = times.end_pts * time_base
    if container.format.name == "avi":
        # This demuxer corrects its durations by the file's size, but leaves the header's length
        # (dwLength), which counts units of the stream's time base; a frame may take many of them.
        declared = (times.pts[0] + stream.frames) * time_base
    else:
        declared = _declared_seconds(container, stream, times.pts[0] * time_base, all_end_seconds)
    is_believable = TRUNCATION_SECONDS < declared - end_seconds < LONGEST_SECONDS
    return int(declared / time_base) if is_believable else None


def _declared_seconds(
    container: "InputContainer",
    stream: "VideoStream",
    start_seconds: Fraction,
    all_end_seconds: Fraction,
) -> Fraction:
    whole = _container_end_seconds(container)
    own = _own_end_seconds(stream, start_seconds)
    if own is not None:
        return min(own, whole + TRUNCATION_SECONDS)
    return whole if whole - all_end_seconds > TRUNCATION_SECONDS else Fraction(0)


def _container_end_seconds(container: "InputContainer") -> Fraction:
    """Return the declared end of the longest stream; zero where nothing is declared."""
    start = 0 if container.format.name in _FROM_ZERO else container.start_time or 0
    return Fraction((container.duration or 0) + start, MICROSECONDS)


def _own_end_seconds(stream: "VideoStream", start_seconds: Fraction) -> Fraction | None:
    """Return the stream's declared duration after its first frame; Matroska keeps it in a tag."""
    if stream.duration is not None and stream.time_base is not None:
        return start_seconds + stream.duration * stream.time_base
    for name, value in stream.metadata.items():
        clock = _CLOCK.fullmatch(value.strip())
        if name.upper().startswith("DURATION") and clock:
            hours, minutes, seconds = clock.groups()
            # The tag is the time of the end, not the length: it counts from zero.
            return Fraction(hours) * 3600 + Fraction(minutes) * 60 + Fraction(seconds)
    return None
