"""Opening a user's file safely: regular files only, known formats only, no huge pictures.

The checks of a path use the standard library alone, so that they can run in the parent, before
anything reaches the decoder process.
"""

import os
import stat
from collections.abc import Iterator, Sequence
from contextlib import contextmanager, nullcontext
from pathlib import Path
from typing import TYPE_CHECKING, Any

from ingest.errors import MediaRefused, VideoError
from ingest.memory_limit import memory_for_a_while

if TYPE_CHECKING:
    from av.container import InputContainer
    from av.packet import Packet
    from av.video.stream import VideoStream

READABLE_FORMATS = "mov,mp4,m4a,3gp,3g2,mj2,matroska,webm,avi,mpegts,flv"
"""Formats whose demuxers read one file and nothing else; playlists are not among them."""

MAX_PIXELS = 8192 * 4352
"""8K DCI (8192x4320), the largest size in use, with its height padded to coding blocks of 64.
A 4:2:0 picture of that size takes 53 MB."""

MAX_READ_FAILURES = 100
"""Read errors in a row, without one packet, after which a file counts as ended: some demuxers
report the same damage for ever."""

FLV_OPENING_BYTES = 100 << 20
"""Eight pictures of 4K, more than that format ever carries; a bomb of 16000x16000 takes 384 MB."""

_FLV_HEAD = b"FLV"
_PLAYLIST_HEADS = (b"#EXTM3U", b"ffconcat", b"[playlist]", b"<?xml", b"<MPD")
_HEAD_BYTES = 16

_GENERATE_PTS = 1
"""AVFMT_FLAG_GENPTS of FFmpeg's libavformat/avformat.h, which the binding sets by itself."""


def checked_path(path: Path, roots: Sequence[Path] = ()) -> Path:
    """Resolve a path to a regular, non-empty file under one of the roots.

    Args:
        path: what the user named.
        roots: folders that media may lie in; none means anywhere.

    Returns:
        The absolute real path.

    Raises:
        MediaRefused: a folder, a link, a device, outside the roots, a playlist, or a name that is
            not UTF-8.
        VideoError: missing, unreadable or empty.
    """
    try:
        status = path.lstat()
        real = path.resolve(strict=True)
    except (OSError, ValueError, RuntimeError) as error:
        raise VideoError(f"{path}: no such file; check the name and the folder") from error
    if stat.S_ISLNK(status.st_mode):
        raise MediaRefused(f"{path}: is a symbolic link; name the file itself: {real}")
    if stat.S_ISDIR(status.st_mode):
        raise MediaRefused(f"{path}: is a folder; name a video file in it")
    if not stat.S_ISREG(status.st_mode):
        raise MediaRefused(f"{path}: is not a regular file; copy the video into one")
    _check_name(real)
    _check_root(path, real, roots)
    if status.st_size == 0:
        raise VideoError(f"{path}: is empty; copy or download it again")
    _check_head(path, real)
    return real


def _check_name(real: Path) -> None:
    try:
        str(real).encode()  # all that a database can hold
    except UnicodeEncodeError as error:
        shown = os.fsencode(real).decode(errors="backslashreplace")
        raise MediaRefused(f"{shown}: its name is not UTF-8; rename it") from error


def _check_root(path: Path, real: Path, roots: Sequence[Path]) -> None:
    if roots and not any(real.is_relative_to(root.resolve()) for root in roots):
        allowed = ", ".join(str(root) for root in roots)
        raise MediaRefused(f"{path}: lies outside the media folders; move it under {allowed}")


def _check_head(path: Path, real: Path) -> None:
    try:
        with real.open("rb") as file:
            head = file.read(_HEAD_BYTES)
    except OSError as error:
        raise VideoError(f"{path}: cannot be read ({error.strerror}); check its rights") from error
    if head.lstrip(b"\xef\xbb\xbf \r\n\t").startswith(_PLAYLIST_HEADS):
        raise MediaRefused(f"{path}: is a playlist, not a video; name the video file it points to")


@contextmanager
def open_video(path: Path) -> Iterator[tuple["InputContainer", "VideoStream"]]:
    """Open the first real video stream of a file, with one decoder thread and a pixel limit.

    Args:
        path: a regular file; it is opened by `file:` and its absolute path, so that no protocol
            can be named in it.

    Yields:
        The container and its video stream, never cover art.

    Raises:
        MediaRefused: not a regular file, or its pictures are too large.
        VideoError: it cannot be opened, or has no video stream that can be decoded.
    """
    real = checked_path(path)
    container = _open_container(real)
    with container:
        # Times as the file states them: what it does not state is dealt with where it matters.
        container.flags &= ~_GENERATE_PTS
        stream = _first_video(container, real)
        context = stream.codec_context
        context.thread_count = 1  # parallel work is several chunks at once, each on one core
        context.options = {"max_pixels": str(MAX_PIXELS)}
        yield container, stream


def _open_container(path: Path) -> "InputContainer":
    import av
    from av.error import FFmpegError

    options = {
        "protocol_whitelist": "file",
        "format_whitelist": READABLE_FORMATS,
        "max_pixels": str(MAX_PIXELS),  # for the decoders that probe the streams while opening
    }
    with path.open("rb") as file:
        # The options do not reach the decoders that probe this format, so memory is the limit.
        is_unlimited = file.read(len(_FLV_HEAD)) == _FLV_HEAD
    try:
        with memory_for_a_while(FLV_OPENING_BYTES) if is_unlimited else nullcontext():
            return av.open(
                f"file:{os.fspath(path)}", mode="r", options=options, metadata_errors="replace"
            )
    except MemoryError:
        if not is_unlimited:
            raise
        raise MediaRefused(f"{path}: takes too much memory; convert it to MP4") from None
    except (FFmpegError, OSError, ValueError) as error:
        raise VideoError(f"{path}: {_why_unopened(path)}") from error


def _why_unopened(path: Path) -> str:
    with path.open("rb") as file:
        head = file.read(_HEAD_BYTES)
    if head[4:8] in (b"ftyp", b"mdat", b"wide", b"free"):
        return "an MP4 without its index (moov), cut off while written; copy or record it again"
    return "is not a video that can be opened; use MP4, MOV, MKV, WebM, AVI, TS or FLV"


def _first_video(container: "InputContainer", path: Path) -> "VideoStream":
    from av.stream import Disposition

    still = Disposition.attached_pic | Disposition.timed_thumbnails | Disposition.still_image
    streams = [stream for stream in container.streams.video if not stream.disposition & still]
    if not streams:
        raise VideoError(f"{path}: no video stream; is this an audio file?")
    stream = streams[0]
    # The binding gives no codec context where it has no decoder, whatever its stubs say.
    context: Any = stream.codec_context
    if context is None:
        raise VideoError(f"{path}: its video codec is unknown; convert it to H.264")
    if context.width * context.height > MAX_PIXELS:
        size = f"{context.width}x{context.height}"
        raise MediaRefused(f"{path}: pictures of {size} are refused; scale it to 8K or less")
    if context.width <= 0 or context.height <= 0:
        raise VideoError(f"{path}: its video stream has no picture size; it is damaged")
    return stream


def read_packets(container: "InputContainer", *streams: Any) -> Iterator["Packet[Any]"]:
    """Demux, going on after damage; ends at the end of the file or when nothing more comes.

    Args:
        container: an open file, at any position.
        streams: the streams to read; none means all.

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
            return  # the binding trips over streams that showed up late, after the last packet
        else:
            return
