"""Describe an episode file by its content. Runs in the decoder process."""

import hashlib
import os
from dataclasses import dataclass, replace
from fractions import Fraction
from itertools import chain, islice
from pathlib import Path
from typing import TYPE_CHECKING

from exact.ranges import union
from ingest.description.declared_end import declared_end_pts
from ingest.description.packet_scan import (
    FrameTimes,
    ScannedPacket,
    clock_restart,
    frame_times,
    measured_rate,
)
from ingest.errors import VideoError
from ingest.media.file import MediaFile
from ingest.media.opening import open_video, read_packets
from ingest.media.probe import Probe
from ingest.progress import Pulse, Report

if TYPE_CHECKING:
    from av.container import InputContainer
    from av.video.frame import VideoFrame
    from av.video.stream import VideoStream

HASH_BYTES = 1 << 20
"""Block size of a read: large enough for the disk, small enough for the memory."""

LONGEST_SECONDS = 7 * 24 * 3600
"""Longest episode. No episode lasts a week, and the samples of one still fit into the decoder's
memory; a file of a few kilobytes may claim centuries."""

READINGS = 3
"""Number of attempts. A file whose timestamps change while it is read is read again, for perhaps
only its name or permissions changed; one that changes each time is being copied."""

FIRST_FRAME_PACKETS = 1000
"""Packets to try until a first picture is decoded: some 40 s, more than any usual GOP, so that a
file that starts anywhere still opens."""


@dataclass(frozen=True)
class _Scan:
    """All packets of the video stream, and the latest end of any stream of the file."""

    packets: tuple[ScannedPacket, ...]
    end_seconds: Fraction


def probe(file: MediaFile, on_progress: Report | None = None) -> Probe:
    """Describe an episode file: decode its first frame, scan its packets, then hash it.

    Args:
        file: The open file.
        on_progress: Takes the number of packets and bytes read so far, every half second.

    Returns:
        The description of the file.

    Raises:
        MediaRefused: The pictures are too large.
        VideoError: The file cannot be used as video, or is being written.
    """
    pulse = Pulse(on_progress)
    for _ in range(READINGS):
        before, stamp = file.status, file.stamp
        described = _described(file, stamp, pulse)
        if _times(file.status) == _times(before):
            return described
    raise VideoError(f"{file.path}: is being written; enqueue it once it is whole")


def _times(status: os.stat_result) -> tuple[int, int, int]:
    return status.st_size, status.st_mtime_ns, status.st_ctime_ns


def _described(file: MediaFile, stamp: str, pulse: Pulse) -> Probe:
    real = file.path
    with open_video(file) as (container, stream):
        first = _first_frame(container, stream, real)
    with open_video(file) as (container, stream):
        scan = _scan(container, stream, pulse)
        if container.format.name == "mpegts":
            _check_clock(scan, stream, real)
        lag_pts = _lag_pts(scan, first)
        times = _displayed(scan, first, lag_pts, stream, real)
        declared = declared_end_pts(container, stream, times, scan.end_seconds)
        time_base = stream.time_base or Fraction(1)
        sideways = first.rotation % 180 != 0
        end_pts = max(times.end_pts, declared or times.end_pts)
        _check_length((end_pts - times.pts[0]) * time_base, real)
        return Probe(
            path=str(real),
            name=real.name,
            size_bytes=file.status.st_size,
            sha256=sha256_of(file, pulse, len(scan.packets)),
            file_stamp=stamp,
            container=container.format.name,
            codec=stream.codec_context.codec.canonical_name,
            width=first.height if sideways else first.width,
            height=first.width if sideways else first.height,
            rotation=first.rotation,
            pixel_format=first.format.name,
            sample_aspect_ratio=stream.sample_aspect_ratio or Fraction(1),
            frame_rate=measured_rate(times, stream.guessed_rate, time_base),
            rate_varies=times.rate_varies,
            time_base=time_base,
            start_pts=times.pts[0],
            end_pts=end_pts,
            key_pts=times.key_pts,
            lag_pts=lag_pts,
            missing=union([*times.gaps(time_base), (times.end_pts, end_pts)]),
        )


def sha256_of(file: MediaFile, pulse: Pulse, done: int = 0) -> str:
    """Hash the whole content.

    Args:
        file: The open file.
        pulse: Beats with each block read.
        done: Amount of earlier work, to which progress is added.

    Returns:
        The SHA-256 in hexadecimal.
    """
    digest = hashlib.sha256()
    at = 0
    while block := os.pread(file.descriptor, HASH_BYTES, at):
        digest.update(block)
        at += len(block)
        pulse.beat(done + at)
    return digest.hexdigest()


def _first_frame(container: "InputContainer", stream: "VideoStream", path: Path) -> "VideoFrame":
    """Decode the first frame, for properties that only a decoded frame has.

    Raises:
        VideoError: No frame can be decoded.
    """
    from av.error import FFmpegError

    packets = read_packets(container, stream)
    for packet in chain(islice(packets, FIRST_FRAME_PACKETS), [None]):
        try:
            frames = stream.decode(packet)
        except MemoryError:
            raise
        except FFmpegError:
            continue
        if frames:
            return frames[0]
    raise VideoError(f"{path}: no picture can be decoded; it is damaged, copy it again")


def _scan(container: "InputContainer", stream: "VideoStream", pulse: Pulse) -> _Scan:
    packets: list[ScannedPacket] = []
    time_bases = [other.time_base or Fraction(1) for other in container.streams]
    ends: dict[int, int] = {}  # by stream: integers are compared much faster
    for number, packet in enumerate(read_packets(container)):
        pulse.beat(number)
        stamp = packet.dts if packet.pts is None else packet.pts
        if stamp is not None:
            end = stamp + (packet.duration or 0)
            ends[packet.stream_index] = max(ends.get(packet.stream_index, end), end)
        if packet.stream_index == stream.index:
            packets.append(ScannedPacket.of(packet))
    end_seconds = max((ends[n] * time_bases[n] for n in ends), default=Fraction(0))
    return _Scan(tuple(packets), end_seconds)


def _check_clock(scan: _Scan, stream: "VideoStream", path: Path) -> None:
    """Refuse a transport stream in which several frames may have the same time.

    Raises:
        VideoError: The clock of the stream restarts.
    """
    restart = clock_restart(scan.packets)
    if restart is None:
        return
    first = next(packet.dts for packet in scan.packets if packet.dts is not None)
    seconds = round((restart - first) * (stream.time_base or Fraction(1)))
    raise VideoError(
        f"{path}: its clock restarts after {seconds} s; "
        "give it one clock: ffmpeg -i in.ts -c copy out.mkv"
    )


def _check_length(seconds: Fraction, path: Path) -> None:
    if seconds > LONGEST_SECONDS:
        raise VideoError(
            f"{path}: says that it lasts {float(seconds):.0f} s, longer than a week; "
            "its times are damaged, copy it again or convert it to MP4"
        )


def _lag_pts(scan: _Scan, first: "VideoFrame") -> int | None:
    """Return the delay from decoding to display in a stream whose keyframes have no pts (AVI).

    Such a file holds one packet per frame at even intervals, and the decoder stamps each output
    frame with the decoding timestamp of the packet that it was just given.
    """
    keys = [packet for packet in scan.packets if packet.is_key]
    if not keys or any(packet.pts is not None for packet in keys):
        return None
    if keys[0].dts is None or first.dts is None:
        return None
    return max(0, first.dts - keys[0].dts)


def _displayed(
    scan: _Scan, first: "VideoFrame", lag_pts: int | None, stream: "VideoStream", path: Path
) -> FrameTimes:
    """Return the times of the displayed frames.

    The first of them is the first frame that the decoder outputs, so that leading pictures of an
    open GOP are left out where they cannot be decoded; unless damage lost the first keyframe.
    """
    packets = scan.packets
    if lag_pts is not None:
        # Their durations are one unit of time each, regardless of how many units a frame takes.
        packets = tuple(
            replace(packet, pts=None if packet.dts is None else packet.dts + lag_pts, duration=None)
            for packet in packets
        )
    keys = [packet.pts for packet in packets if packet.is_key and not packet.is_discard]
    starts = [first.dts if lag_pts is not None else first.pts, *keys[:1]]
    start_pts = min((pts for pts in starts if pts is not None), default=None)
    times = frame_times(packets, start_pts, stream.average_rate, stream.time_base or Fraction(1))
    if times is None:
        raise VideoError(f"{path}: its frames have no times; convert it to MP4 or MKV")
    return times
