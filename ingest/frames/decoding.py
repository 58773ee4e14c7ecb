"""Decode one chunk: plan from its packets, skip unneeded frames, yield the others."""

from collections.abc import Iterator
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from ingest.frames.packets import ChunkSource, open_chunk
from ingest.frames.skipping import HEAD_BYTES, SKIPPING_CODECS, hevc_sub_layer, nal_length_bytes
from ingest.progress import Pulse

if TYPE_CHECKING:
    from av.packet import Packet
    from av.video.frame import VideoFrame
    from av.video.stream import VideoStream


@dataclass(frozen=True)
class ChunkPlan:
    """The frames that a chunk's packets announce, before anything is decoded."""

    frame_pts: tuple[int, ...]
    """The pts of displayed frames in the chunk, ascending."""
    is_complete: bool
    """Whether every packet has a presentation timestamp, so that these are all frames."""
    skippable_layer: int | None
    """The temporal sub-layer whose pictures may be skipped; None for none."""


@dataclass(frozen=True)
class Decoded:
    """One step of decoding: a frame, or an error in its place."""

    pts: int | None
    """The frame's pts, or that of the packet that failed; None where unknown."""
    frame: "VideoFrame | None"
    """The decoded frame; None where decoding failed."""

    @property
    def sound_frame(self) -> "VideoFrame | None":
        """The frame, unless it is known to be damaged."""
        return None if self.frame is None or self.frame.is_corrupt else self.frame


def plan_chunk(source: ChunkSource, pulse: Pulse) -> ChunkPlan:
    """Read a chunk's packets without decoding them.

    Args:
        source: The chunk.
        pulse: Beats at each packet, with no frame decoded yet: from a slow disk, or where a file
            must be read from its start, reading alone may take minutes.

    Returns:
        The frames that the packets announce.

    Raises:
        VideoError: The file cannot be opened.
    """
    times: set[int] = set()
    layers: set[int | None] = set()
    is_complete = source.lag_pts is None
    with open_chunk(source) as (stream, packets):
        layer_of = _SubLayers(stream)
        for packet in packets:
            pulse.beat(0)
            layers.add(layer_of(packet))
            time = source.time_of(packet)
            is_complete = is_complete and time is not None
            if time is not None and source.holds(time) and not packet.is_discard:
                times.add(time)
    known = [layer for layer in layers if layer is not None]
    return ChunkPlan(
        frame_pts=tuple(sorted(times)),
        is_complete=is_complete,
        skippable_layer=max(known) if len(known) == len(layers) > 0 else None,
    )


def decode_all(source: ChunkSource) -> Iterator[Decoded]:
    """Decode every frame of a chunk, in display order.

    Yields:
        Frames and errors, also of GOPs that the chunk shares with its neighbours.

    Raises:
        VideoError: The file cannot be opened.
    """
    with open_chunk(source) as (stream, packets):
        stamp = _Stamp(source, stream)
        for packet in packets:
            yield from stamp.decode(packet)
        yield from stamp.decode(None)


def decode_wanted(
    source: ChunkSource, plan: ChunkPlan, wanted: frozenset[int]
) -> Iterator[Decoded]:
    """Decode a chunk but skip frames that are neither wanted nor referenced by others.

    Args:
        source: The chunk.
        plan: The result of `plan_chunk`.
        wanted: The pts of the frames that must be decoded.

    Yields:
        The same as `decode_all`, without the skipped frames.

    Raises:
        VideoError: The file cannot be opened.
    """
    with open_chunk(source) as (stream, packets):
        stamp = _Stamp(source, stream)
        context = stream.codec_context
        codec = context.codec.canonical_name
        can_skip = codec in SKIPPING_CODECS and plan.skippable_layer is not None
        layer_of = _SubLayers(stream)
        for packet in packets:
            if can_skip:
                skip = packet.pts not in wanted and layer_of(packet) == plan.skippable_layer
                context.skip_frame = "NONREF" if skip else "DEFAULT"
            yield from stamp.decode(packet)
        yield from stamp.decode(None)


class _SubLayers:
    """Finds the temporal sub-layer of packets: 0 except for HEVC, None where it is hidden."""

    def __init__(self, stream: "VideoStream") -> None:
        self._is_hevc = stream.codec_context.codec.canonical_name == "hevc"
        self._length_bytes = nal_length_bytes(stream.codec_context.extradata or b"")

    def __call__(self, packet: "Packet[Any]") -> int | None:
        if not self._is_hevc:
            return 0
        return hevc_sub_layer(bytes(memoryview(packet)[:HEAD_BYTES]), self._length_bytes)


class _Stamp:
    """Assigns each decoded frame its display time, and turns decoder errors into values."""

    def __init__(self, source: ChunkSource, stream: "VideoStream") -> None:
        self._source = source
        self._stream = stream
        rate = stream.guessed_rate
        self._step_pts = max(1, round(1 / (rate * source.time_base))) if rate else 1
        self._last_pts: int | None = None

    def decode(self, packet: "Packet[Any] | None") -> list[Decoded]:
        from av.error import FFmpegError

        try:
            frames = self._stream.decode(packet)
        except MemoryError:
            raise
        except FFmpegError:
            return [Decoded(None if packet is None else self._source.time_of(packet), None)]
        return [Decoded(self._time_of(frame), frame) for frame in frames]

    def _time_of(self, frame: "VideoFrame") -> int | None:
        # Where packets lack presentation timestamps, the decoder's order and the decoding
        # timestamps determine them, and frames that are output after the last packet follow at the
        # usual interval.
        pts = frame.pts if self._source.lag_pts is None else None
        if pts is None:
            pts = frame.dts
        if pts is None and self._last_pts is not None:
            pts = self._last_pts + self._step_pts
        self._last_pts = pts
        return pts
