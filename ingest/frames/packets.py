"""Read the packets of one chunk: find where to start in the file, and where to stop."""

from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from fractions import Fraction
from itertools import chain
from typing import TYPE_CHECKING, Any

from ingest.media.file import MediaFile
from ingest.media.opening import open_video, read_packets

if TYPE_CHECKING:
    from av.container import InputContainer
    from av.packet import Packet
    from av.video.stream import VideoStream

    Packets = Iterator[Packet[Any]]

SEEK_BACK_SECONDS = (0, 2, 10, 60)
"""Offsets before the chunk's keyframe to try as seek targets, until reading starts at or before it.
Indexed files need one seek; transport streams are searched by decoding time and may land late."""

RUN_UP_SECONDS = 10
"""How much earlier to start where a picture may not be complete at its keyframe: no encoder
refreshes a picture more slowly than this, and leading pictures need only the GOP before them."""


@dataclass(frozen=True)
class ChunkSource:
    """The location of a chunk's packets."""

    file: MediaFile
    """The open episode file."""
    time_base: Fraction
    """Seconds per pts unit."""
    episode_start_pts: int
    """The first displayed frame; its chunk is read from the file's start."""
    start_pts: int
    """The chunk's first frame: a keyframe."""
    end_pts: int
    """Half-open end of the chunk."""
    lag_pts: int | None = None
    """See `Probe.lag_pts`."""
    run_up_seconds: int = 0
    """How much earlier than the chunk's keyframe to start decoding, for streams whose pictures are
    complete only some time after it; see also `run_up_for`."""

    def time_of(self, packet: "Packet[Any]") -> int | None:
        """Return a packet's presentation timestamp, as far as the packet states it."""
        if self.lag_pts is None:
            return packet.pts
        return None if packet.dts is None else packet.dts + self.lag_pts

    def holds(self, pts: int | None) -> bool:
        """Tell whether a frame of that time belongs to this chunk."""
        return pts is not None and self.start_pts <= pts < self.end_pts


def run_up_for(lag_pts: int | None) -> int:
    """Return how many seconds before its keyframe a chunk must be decoded to have all its frames.

    A lag is that of the stream's first keyframe; other keyframes are displayed after their leading
    pictures, which depend on the previous GOP.
    """
    return 0 if lag_pts is None else RUN_UP_SECONDS


@contextmanager
def open_chunk(source: ChunkSource) -> Iterator[tuple["VideoStream", "Packets"]]:
    """Open the file at a chunk.

    Yields:
        The video stream, and its packets from the chunk's keyframe (or the run-up) until all frames
        of the chunk are read.

    Raises:
        VideoError: The file cannot be opened.
    """
    with open_video(source.file) as (container, stream):
        packets = _sought(container, stream, source)
        if packets is not None:
            yield stream, _until_end(packets, source)
            return
    # A seek may leave the demuxer anywhere, so the file is reopened to read it from its start.
    with open_video(source.file) as (container, stream):
        yield stream, _until_end(read_packets(container, stream), source)


def _sought(
    container: "InputContainer", stream: "VideoStream", source: ChunkSource
) -> "Packets | None":
    """Seek to the chunk; return None where it must be read from the file's start."""
    from av.error import FFmpegError

    if source.start_pts <= source.episode_start_pts:
        return None
    for back_seconds in SEEK_BACK_SECONDS:
        back_pts = int((back_seconds + source.run_up_seconds) / source.time_base)
        target = source.start_pts - (source.lag_pts or 0) - back_pts
        try:
            container.seek(target, stream=stream, backward=True)
        except MemoryError:
            raise
        except FFmpegError:
            return None
        packets = _from_landing(read_packets(container, stream), source)
        if packets is not None:
            return packets
    return None


def _from_landing(packets: "Packets", source: ChunkSource) -> "Packets | None":
    """Return the packets from the chunk's keyframe (or run-up) on; None if reading began later."""
    for packet in packets:
        time = source.time_of(packet)
        if not packet.is_keyframe or time is None:
            continue
        if time > source.start_pts:
            return None
        if time == source.start_pts or source.run_up_seconds:
            return chain([packet], packets)
    return None


def _until_end(packets: "Packets", source: ChunkSource) -> "Packets":
    """Stop when all frames before the chunk's end are read.

    Leading pictures of the next keyframe come after it in the file and before it on display, so
    reading continues until decoding times, which never run ahead of display times, pass the end.
    """
    passed_key = False
    for packet in packets:
        time = source.time_of(packet)
        past = time is not None and time >= source.end_pts
        if past and passed_key and _is_beyond(packet, source):
            return
        passed_key = passed_key or (past and packet.is_keyframe)
        yield packet


def _is_beyond(packet: "Packet[Any]", source: ChunkSource) -> bool:
    return packet.is_keyframe or packet.dts is None or packet.dts >= source.end_pts
