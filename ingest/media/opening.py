"""Open a file as video: known formats only, no huge pictures. Runs in the decoder process."""

import os
from collections.abc import Iterator
from contextlib import contextmanager, nullcontext
from typing import TYPE_CHECKING, Any

from ingest.errors import MediaRefused, VideoError
from ingest.media.file import MediaFile
from ingest.media.memory_limit import memory_for_a_while

if TYPE_CHECKING:
    from av.container import InputContainer
    from av.packet import Packet
    from av.video.stream import VideoStream

READABLE_FORMATS = "mov,mp4,m4a,3gp,3g2,mj2,matroska,webm,avi,mpegts,flv"
"""Formats whose demuxers read exactly one file; playlists are not among them."""

MAX_PIXELS = 8192 * 4352
"""8K DCI (8192x4320), the largest size in use, with its height padded to coding blocks of 64. A
4:2:0 picture of that size takes 53 MB."""

MAX_READ_FAILURES = 100
"""Consecutive read errors, without one packet, after which a file counts as ended: some demuxers
report the same damage endlessly."""

FLV_OPENING_BYTES = 100 << 20
"""Memory for opening FLV: eight pictures of 4K, more than that format ever carries; a bomb of
16000x16000 takes 384 MB."""

_FLV_HEAD = b"FLV"

_GENERATE_PTS = 1
"""AVFMT_FLAG_GENPTS of FFmpeg's libavformat/avformat.h, which the binding sets by default."""


@contextmanager
def open_video(file: MediaFile) -> Iterator[tuple["InputContainer", "VideoStream"]]:
    """Open the first real video stream of a file, with one decoder thread and a pixel limit.

    Args:
        file: Opened under a `file:` name made here, so that it cannot name another protocol.

    Yields:
        The container and its video stream, never cover art.

    Raises:
        MediaRefused: The pictures are too large.
        VideoError: The file cannot be opened, or has no video stream that can be decoded.
    """
    container = _open_container(file)
    with container:
        # Keep the timestamps as the file states them; missing ones are handled where they are
        # needed.
        container.flags &= ~_GENERATE_PTS
        stream = _first_video(container, file)
        context = stream.codec_context
        context.thread_count = 1  # parallelism: one chunk per core
        context.options = {"max_pixels": str(MAX_PIXELS)}
        yield container, stream


def _open_container(file: MediaFile) -> "InputContainer":
    import av
    from av.error import FFmpegError

    options = {
        "protocol_whitelist": "file",
        "format_whitelist": READABLE_FORMATS,
        "max_pixels": str(MAX_PIXELS),  # for the decoders that probe the streams while opening
    }
    # The options do not reach the decoders that probe this format, so memory is limited instead.
    is_unlimited = file.head.startswith(_FLV_HEAD)
    os.lseek(file.descriptor, 0, os.SEEK_SET)  # where all names of a file share a position (macOS)
    try:
        with memory_for_a_while(FLV_OPENING_BYTES) if is_unlimited else nullcontext():
            return av.open(
                f"file:{file.place}", mode="r", options=options, metadata_errors="replace"
            )
    except MemoryError:
        if not is_unlimited:
            raise
        raise MediaRefused(f"{file.path}: takes too much memory; convert it to MP4") from None
    except (FFmpegError, OSError, ValueError) as error:
        raise VideoError(f"{file.path}: {_why_unopened(file.head)}") from error


def _why_unopened(head: bytes) -> str:
    if head[4:8] in (b"ftyp", b"mdat", b"wide", b"free"):
        return "an MP4 without its index (moov), cut off while written; copy or record it again"
    return "is not a video that can be opened; use MP4, MOV, MKV, WebM, AVI, TS or FLV"


def _first_video(container: "InputContainer", file: MediaFile) -> "VideoStream":
    from av.stream import Disposition

    still = Disposition.attached_pic | Disposition.timed_thumbnails | Disposition.still_image
    streams = [stream for stream in container.streams.video if not stream.disposition & still]
    if not streams:
        raise VideoError(f"{file.path}: no video stream; is this an audio file?")
    stream = streams[0]
    # The binding gives no codec context where it has no decoder, contrary to its stubs.
    context: Any = stream.codec_context
    if context is None:
        raise VideoError(f"{file.path}: its video codec is unknown; convert it to H.264")
    if context.width * context.height > MAX_PIXELS:
        size = f"{context.width}x{context.height}"
        raise MediaRefused(f"{file.path}: pictures of {size} are refused; scale it to 8K or less")
    if context.width <= 0 or context.height <= 0:
        raise VideoError(f"{file.path}: its video stream has no picture size; it is damaged")
    return stream


def read_packets(container: "InputContainer", *streams: Any) -> Iterator["Packet[Any]"]:
    """Demux, continuing after damage, until the end of the file or until no more packets come.

    Args:
        container: An open file, at any position.
        streams: The streams to read; none means all.

    Yields:
        The packets in file order, without the empty ones that mark the end.
    """
    from av.error import FFmpegError

    failures = 0
    while failures < MAX_READ_FAILURES:
        try:
            for packet in container.demux(*streams):
                if packet.size:
                    failures = 0
                    yield packet
        except MemoryError:
            raise
        except FFmpegError:
            failures += 1
        except IndexError:
            return  # the binding fails on streams that appeared late, after the last packet
        else:
            return
