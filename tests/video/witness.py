"""What the program ffmpeg says of a file: the witness against which our own reading is held.

It comes with the development packages, in a wheel of its own: another build of another version
than the libraries inside PyAV, with which Castline reads.
"""

import re
import subprocess
from bisect import bisect_right
from dataclasses import dataclass
from fractions import Fraction
from pathlib import Path

from tests.video.media import ffmpeg_command

FIRST_REAL_VIDEO = "0:V:0"
"""No cover picture, in ffmpeg's words."""


@dataclass(frozen=True)
class Listing:
    """The first real video stream, packet by packet or frame by frame.

    Attributes:
        codec: its name; `rawvideo` of decoded frames.
        time_base: seconds per unit of pts.
        pts: display times, in the order in which they came.
    """

    codec: str
    time_base: Fraction
    pts: tuple[int, ...]


@dataclass(frozen=True)
class Shape:
    """What a decoded picture of the first real video stream is like."""

    width: int
    height: int
    pixel_format: str
    sample_aspect_ratio: Fraction
    frame_rate: Fraction


def packets_of(path: Path) -> Listing:
    """Every packet with its time, undecoded."""
    return _listing(path, "-c", "copy", "-copyinkf")


def frames_of(path: Path) -> Listing:
    """Every decoded frame with its time, none left out and none repeated."""
    return _listing(path, "-fps_mode", "passthrough", "-enc_time_base", "demux")


def _listing(path: Path, *options: str) -> Listing:
    # framecrc writes `#name stream: value` first, then a line `stream, dts, pts, ...` for each.
    lines = _say(path, *options, "-f", "framecrc", "-").stdout.splitlines()
    head = dict(line[1:].split(": ", 1) for line in lines if line.startswith("#"))
    pts = tuple(int(line.split(",")[2]) for line in lines if not line.startswith("#"))
    return Listing(head["codec_id 0"], Fraction(head["tb 0"]), pts)


def shape_of(path: Path) -> Shape:
    """What the first picture is like."""
    said = _say(path, "-frames:v", "1", "-vf", "showinfo", "-f", "null", "-", level="info").stderr
    rate = re.search(r"config in time_base: \S+, frame_rate: (\S+)", said)
    picture = re.search(r"fmt:(\w+) .*?sar:(\S+) s:(\d+)x(\d+) ", said)
    assert rate is not None, said
    assert picture is not None, said
    pixel_format, aspect, width, height = picture.groups()
    return Shape(int(width), int(height), pixel_format, Fraction(aspect), Fraction(rate[1]))


def _say(path: Path, *arguments: str, level: str = "error") -> subprocess.CompletedProcess[str]:
    # -copyts: times as they are in the file, which ffmpeg else counts from the first.
    command = [ffmpeg_command(), "-hide_banner", "-nostats", "-v", level, "-copyts"]
    command += ["-i", str(path), "-map", FIRST_REAL_VIDEO, *arguments]
    return subprocess.run(
        command, check=True, stdin=subprocess.DEVNULL, capture_output=True, text=True
    )


def pts_on_display(path: Path, every_seconds: Fraction, duration_seconds: Fraction) -> list[int]:
    """Which of ffmpeg's frames are on display at start + k * every_seconds, each once."""
    listed = frames_of(path)
    return on_display(sorted(listed.pts), listed.time_base, every_seconds, duration_seconds)


def on_display(
    frames: list[int], time_base: Fraction, every_seconds: Fraction, duration_seconds: Fraction
) -> list[int]:
    """Which of these ascending times are on display at the sample times, each once."""
    found: list[int] = []
    time = frames[0] * time_base
    end = time + duration_seconds
    while time < end:
        pts = frames[bisect_right(frames, time, key=lambda frame: frame * time_base) - 1]
        if not found or pts != found[-1]:
            found.append(pts)
        time += every_seconds
    return found
