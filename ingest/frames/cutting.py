"""Cut a range out of an episode file, exactly. Runs in the decoder process.

The frames of the range are decoded and encoded again as H.264 with their original intervals, and
the sound, if there is any, as AAC. A copy of packets could only start at a keyframe.
"""

import errno
import json
from bisect import bisect_right
from collections.abc import Iterator
from dataclasses import asdict, dataclass
from fractions import Fraction
from pathlib import Path
from typing import TYPE_CHECKING, Any, Self

from exact.video_file import VideoFile
from ingest.errors import IngestError, VideoError
from ingest.frames.decoding import decode_all
from ingest.frames.packets import ChunkSource, run_up_for
from ingest.media.file import MediaFile
from ingest.media.opening import open_video, read_packets
from ingest.progress import Pulse, Report

if TYPE_CHECKING:
    from av.audio.frame import AudioFrame
    from av.audio.stream import AudioStream
    from av.container import OutputContainer

QUALITY = "18"
"""Constant rate factor of x264 that is nearly indistinguishable from the original."""

AAC_LAYOUTS = {1: "mono", 2: "stereo", 3: "3.0", 4: "4.0", 5: "5.0", 6: "5.1", 8: "7.1"}
"""The layouts that every player knows (channel configurations of ISO/IEC 14496-3, table 1.19), by
number of channels, which is all that some files state. Others are mixed down to stereo."""

OTHER_RATE = 48000
"""Sample rate in place of a rate that AAC does not support: the usual rate beside video."""

NO_SPACE = (errno.ENOSPC, errno.EDQUOT, errno.EFBIG)
"""Error codes of a system that has no space for a file, or for one so large."""


@dataclass(frozen=True)
class Cut:
    """A range to cut out."""

    path: str
    """Path of the episode file."""
    time_base: Fraction
    """Seconds per pts unit."""
    episode_start_pts: int
    """The first frame of the episode."""
    key_pts: int
    """The keyframe at or before the range."""
    start_pts: int
    """The first frame to keep."""
    end_pts: int
    """Half-open end of the range."""
    frame_rate: Fraction
    """Frames per second, written to the file's header for players."""
    lag_pts: int | None
    """See `VideoFile.lag_pts`."""
    sample_aspect_ratio: Fraction
    """Width of a coded pixel over its height."""
    rotation: int
    """Degrees counter-clockwise by which the picture is rotated for display."""
    output: str
    """The .mp4 file to write; an older one is replaced."""

    def __post_init__(self) -> None:
        """Check the range."""
        if not self.episode_start_pts <= self.key_pts <= self.start_pts < self.end_pts:
            raise ValueError(f"not a range to cut out: {self}")

    @classmethod
    def of(cls, file: VideoFile, path: str, start_pts: int, end_pts: int, output: Path) -> Self:
        """Request a range of an episode; its file, or a copy of it, lies at `path`."""
        before = bisect_right(file.key_pts, start_pts)
        return cls(
            path=path,
            time_base=file.time_base,
            episode_start_pts=file.start_pts,
            key_pts=file.key_pts[before - 1] if before else file.start_pts,
            start_pts=start_pts,
            end_pts=end_pts,
            frame_rate=file.frame_rate,
            lag_pts=file.lag_pts,
            sample_aspect_ratio=file.sample_aspect_ratio,
            rotation=file.rotation,
            output=str(output.absolute()),
        )

    def to_json(self) -> str:
        """Serialise to one line of JSON; fractions as `"24000/1001"`."""
        return json.dumps(asdict(self), default=str)

    @classmethod
    def from_json(cls, text: str) -> "Cut":
        """Parse the output of `to_json`."""
        fields: dict[str, Any] = json.loads(text)
        for name in ("time_base", "frame_rate", "sample_aspect_ratio"):
            fields[name] = Fraction(fields[name])
        return cls(**fields)


def cut_out(cut: Cut, file: MediaFile, on_progress: Report | None = None) -> int:
    """Write a clip.

    Args:
        cut: The range.
        file: The open episode file.
        on_progress: Takes the number of frames written so far, every half second.

    Returns:
        The number of video frames in the clip.

    Raises:
        VideoError: The file cannot be opened, or no frame of the range can be decoded.
        IngestError: The clip cannot be written, or the decoded frames cannot be encoded.
    """
    import av
    from av.error import FFmpegError

    try:
        with av.open(cut.output, "w", format="mp4") as written:
            frames = _encode_video(cut, file, written, Pulse(on_progress))
    except MemoryError:
        raise
    except (FFmpegError, OSError) as error:
        if error.errno in NO_SPACE:
            raise IngestError(
                f"{cut.output}: cannot be written ({error.strerror}); "
                "choose a folder that has space"
            ) from error
        raise IngestError(
            f"{cut.path}: a clip of it cannot be made ({error.strerror}); "
            "convert it to MP4 or choose another folder"
        ) from error
    if not frames:
        raise VideoError(f"{cut.path}: no frame of the range can be decoded; copy the file again")
    return frames


def _encode_video(cut: Cut, file: MediaFile, written: "OutputContainer", pulse: Pulse) -> int:
    source = ChunkSource(
        file=file,
        time_base=cut.time_base,
        episode_start_pts=cut.episode_start_pts,
        start_pts=cut.key_pts,
        end_pts=cut.end_pts,
        lag_pts=cut.lag_pts,
        run_up_seconds=run_up_for(cut.lag_pts),
    )
    stream = written.add_stream("libx264", rate=cut.frame_rate, options={"crf": QUALITY})
    stream.pix_fmt = "yuv420p"
    stream.codec_context.time_base = cut.time_base
    stream.codec_context.sample_aspect_ratio = cut.sample_aspect_ratio
    stream.set_display_rotation(cut.rotation)
    sound = _Sound(cut, file, written)
    frames = 0
    for step in decode_all(source):
        frame = step.sound_frame
        if frame is None or step.pts is None or not cut.start_pts <= step.pts < cut.end_pts:
            continue
        if not frames:
            # 4:2:0 needs even sides; a picture with odd sides loses a row or a column.
            stream.width, stream.height = frame.width // 2 * 2, frame.height // 2 * 2
        shown = frame.reformat(stream.width, stream.height, "yuv420p", threads=1)
        shown.pts, shown.time_base = step.pts - cut.start_pts, cut.time_base
        shown.pict_type = 0  # the keyframes of the episode are irrelevant for the clip
        written.mux(stream.encode(shown))
        frames += 1
        pulse.beat(frames)
    if frames:
        written.mux(stream.encode(None))
        sound.encode()
    return frames


def _add_sound(written: "OutputContainer", original: "AudioStream") -> "AudioStream":
    from av.codec import Codec

    rates = Codec("aac", "w").audio_rates or ()
    return written.add_stream(
        "aac",
        rate=original.rate if original.rate in rates else OTHER_RATE,
        layout=AAC_LAYOUTS.get(original.layout.nb_channels, "stereo"),
    )


class _Sound:
    """The sound of a range. Its stream is added before the first picture is written."""

    def __init__(self, cut: Cut, file: MediaFile, written: "OutputContainer") -> None:
        self._cut, self._file, self._written = cut, file, written
        with open_video(file) as (container, _):
            first = next(iter(container.streams.audio), None)
            self._stream = _add_sound(written, first) if first else None

    def encode(self) -> None:
        if self._stream is None:
            return
        for frame in self._frames():
            self._written.mux(self._stream.encode(frame))
        self._written.mux(self._stream.encode(None))

    def _frames(self) -> Iterator["AudioFrame"]:
        """Yield decoded sound that starts in the range, with times relative to its start."""
        from av.error import FFmpegError

        start, end = (pts * self._cut.time_base for pts in (self._cut.start_pts, self._cut.end_pts))
        with open_video(self._file) as (container, video):
            sound = container.streams.audio[0]
            container.seek(self._cut.key_pts, stream=video, backward=True)
            for packet in read_packets(container, sound):
                try:
                    frames = sound.decode(packet)
                except FFmpegError:
                    continue
                for frame in frames:
                    if frame.pts is None or frame.time_base is None:
                        continue
                    seconds = frame.pts * frame.time_base
                    if seconds >= end:
                        return
                    if seconds >= start:
                        # Counted in samples: the file's time unit may be a packet of sound (AVI).
                        frame.time_base = Fraction(1, frame.sample_rate)
                        frame.pts = round((seconds - start) * frame.sample_rate)
                        yield frame
