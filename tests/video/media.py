"""Small made videos of many kinds, for tests that open media."""

import os
import subprocess
from dataclasses import dataclass
from fractions import Fraction
from pathlib import Path

import imageio_ffmpeg

from exact.picture_area import PictureArea
from exact.ranges import union
from ingest.description import describe, picture_area
from ingest.frames import extract
from ingest.frames.chunks import plan_chunks
from ingest.frames.extract_request import Extracted, Extraction
from ingest.media.file import MediaFile, open_media
from ingest.media.probe import Probe
from ingest.storage.frame_store import read_frames

SECONDS = 6
X264 = ("-c:v", "libx264", "-preset", "veryfast", "-threads", "1")
CLOSED = ("-g", "30", "-bf", "2")
"""A key frame each second or so, and frames whose display order is not their decoding order."""


def ffmpeg_command() -> str:
    """The ffmpeg that comes as a wheel, so that files are the same on every machine."""
    return str(imageio_ffmpeg.get_ffmpeg_exe())


def run_ffmpeg(*arguments: str | Path) -> None:
    """Run ffmpeg quietly, failing the test if it fails."""
    command = [ffmpeg_command(), "-v", "error", "-y", *map(str, arguments)]
    subprocess.run(command, check=True, stdin=subprocess.DEVNULL)


def pattern(rate: str = "25", seconds: float = SECONDS, size: str = "192x144") -> tuple[str, ...]:
    """Input arguments: a moving test picture that differs in every frame."""
    return ("-f", "lavfi", "-i", f"testsrc2=size={size}:rate={rate}:duration={seconds}")


def tone(seconds: float = SECONDS) -> tuple[str, ...]:
    """Input arguments: a sine tone."""
    return ("-f", "lavfi", "-i", f"sine=duration={seconds}")


@dataclass(frozen=True)
class MadeVideo:
    """A kind of file: its name and what ffmpeg needs to make it."""

    name: str
    arguments: tuple[str, ...]

    def make(self, folder: Path) -> Path:
        """Make the file in the folder, unless it is there already."""
        path = folder / self.name
        if not path.exists():
            run_ffmpeg(*self.arguments, path)
        return path


UNEVEN = "settb=1/1000,select='mod(n-3,7)*mod(n-1,5)',setpts=PTS+mod(N\\,3)*9"
"""Drops frames and shifts others, so that the steps between frames are of many lengths."""

OPEN_GROUPS = ("-x264-params", "open-gop=1:keyint=30:min-keyint=30:bframes=3:scenecut=0")
REFRESHED = ("-x264-params", "intra-refresh=1:keyint=25")
INTERLACED = ("-vf", "setfield=tff", "-flags", "+ilme+ildct")

MADE = (
    MadeVideo("film_23976.mp4", (*pattern("24000/1001"), *X264, *CLOSED)),
    MadeVideo("pal_25.mkv", (*pattern("25"), *X264, *CLOSED)),
    MadeVideo("ntsc_2997.mkv", (*pattern("30000/1001"), *X264, *CLOSED)),
    MadeVideo("smooth_5994.ts", (*pattern("60000/1001"), *X264, *CLOSED)),
    # The clock's 33 bits are full after 95443.7 s, 2 s after the first frame.
    MadeVideo("clock_round.ts", (*pattern(), *X264, *CLOSED, "-output_ts_offset", "95440")),
    MadeVideo("film_23976.flv", (*pattern("24000/1001"), *X264, *CLOSED)),
    MadeVideo("uneven.mkv", (*pattern("30"), "-vf", UNEVEN, "-fps_mode", "vfr", *X264, *CLOSED)),
    MadeVideo("uneven.mp4", (*pattern("30"), "-vf", UNEVEN, "-fps_mode", "vfr", *X264, *CLOSED)),
    MadeVideo("slides.mp4", (*pattern("1/2", 20), *X264, "-g", "3", "-r", "1/2")),
    MadeVideo("late_start.mp4", (*pattern(), *X264, *CLOSED, "-output_ts_offset", "5")),
    MadeVideo("late_start.mkv", (*pattern(), *X264, *CLOSED, "-output_ts_offset", "5")),
    MadeVideo("open_groups.mkv", (*pattern(), *X264, *OPEN_GROUPS)),
    MadeVideo("open_groups.ts", (*pattern(), *X264, *OPEN_GROUPS)),
    MadeVideo("open_groups.mp4", (*pattern(), *X264, *OPEN_GROUPS)),
    MadeVideo("interlaced.ts", (*pattern(), *X264, *CLOSED, *INTERLACED)),
    MadeVideo("mpeg2_interlaced.ts", (*pattern(), "-c:v", "mpeg2video", *CLOSED, *INTERLACED)),
    MadeVideo("refreshed.ts", (*pattern(), *X264, *REFRESHED)),
    MadeVideo("ten_bits.mp4", (*pattern(), *X264, *CLOSED, "-pix_fmt", "yuv420p10le")),
    MadeVideo("hevc.mkv", (*pattern(), "-c:v", "libx265", "-x265-params", "keyint=30:log-level=0")),
    MadeVideo("hevc.ts", (*pattern(), "-c:v", "libx265", "-x265-params", "keyint=30:log-level=0")),
    MadeVideo(
        "vp9.webm",
        (*pattern(), "-c:v", "libvpx-vp9", "-deadline", "realtime", "-cpu-used", "8", "-g", "30"),
    ),
    MadeVideo("mpeg4.avi", (*pattern(), "-c:v", "mpeg4", *CLOSED)),
    # The second key frame's leading pictures, frames 25 and 26, are on display at 1 s.
    MadeVideo("open_groups.avi", (*pattern(), "-c:v", "mpeg4", "-g", "27", "-bf", "2")),
    MadeVideo("mpeg4_plain.avi", (*pattern(), "-c:v", "mpeg4", "-g", "30", "-bf", "0")),
    MadeVideo("h264.avi", (*pattern(), *X264, *CLOSED)),
    MadeVideo("refreshed.avi", (*pattern(), *X264, "-bf", "0", *REFRESHED)),
    MadeVideo("motion_jpeg.avi", (*pattern(), "-c:v", "mjpeg", "-pix_fmt", "yuvj420p")),
    MadeVideo(
        "audio_first.mp4",
        (*tone(), *pattern(), "-map", "0:a", "-map", "1:v", *X264, *CLOSED, "-c:a", "aac"),
    ),
)
"""Every kind of file whose sampled times must agree with what ffmpeg lists."""


def with_cover_art(folder: Path) -> Path:
    """An MP4 whose first video stream is a still cover picture."""
    cover, path = folder / "cover.png", folder / "cover_art.mp4"
    run_ffmpeg(*pattern("1", 1, "400x400"), "-frames:v", "1", cover)
    run_ffmpeg(
        *("-i", str(cover), *pattern(), "-map", "0:v", "-map", "1:v", "-c:v:0", "copy"),
        *("-c:v:1", "libx264", "-g", "30", "-disposition:v:0", "attached_pic", str(path)),
    )
    return path


def trimmed(folder: Path) -> Path:
    """An MP4 cut without encoding: an edit list hides the frames before the cut."""
    source = MADE[0].make(folder)
    path = folder / "trimmed.mp4"
    run_ffmpeg("-ss", "1.7", "-i", source, "-c", "copy", path)
    return path


def fine_units(folder: Path) -> Path:
    """An AVI of 25 frames per second whose unit of time, copied from an MP4, is 1/600 s."""
    source, path = folder / "fine_units.mp4", folder / "fine_units.avi"
    run_ffmpeg(*pattern(), *X264, *CLOSED, "-video_track_timescale", "600", source)
    run_ffmpeg("-i", source, "-c", "copy", "-copytb", "1", path)
    return path


def rotated(folder: Path, degrees: int) -> Path:
    """An MP4 whose display matrix turns the picture counter-clockwise."""
    import av

    source = MADE[0].make(folder)
    path = folder / f"rotated_{degrees}.mp4"
    with av.open(str(source)) as read, av.open(str(path), "w") as written:
        stream = read.streams.video[0]
        copy = written.add_stream_from_template(stream)
        copy.set_display_rotation(degrees)
        for packet in read.demux(stream):
            if packet.dts is not None:
                packet.stream = copy
                written.mux(packet)
    return path


def probe(path: Path) -> Probe:
    """Describe a file in this process."""
    with open_media(path) as file:
        return describe.probe(file)


def find_picture_area(described: Probe) -> PictureArea:
    """Find an episode's picture area in this process."""
    with open_media(Path(described.path)) as file:
        return picture_area.find_picture_area(described, file)


def extract_chunk(request: Extraction) -> Extracted:
    """Extract a chunk in this process."""
    with open_media(Path(request.path)) as file:
        return extract.extract_chunk(request, file)


def kept_open(path: Path) -> MediaFile:
    """A file that stays open until the process ends."""
    return MediaFile(path, os.open(path, os.O_RDONLY))


def extract_episode(
    described: Probe,
    folder: Path,
    chunk_seconds: int,
    every_seconds: Fraction = Fraction(1, 2),
    area: PictureArea | None = None,
) -> tuple[list[tuple[int, bytes]], tuple[tuple[int, int], ...]]:
    """Extract all chunks of an episode in this process.

    Returns:
        What the frame store holds afterwards as (pts, pixels), and the merged missing ranges.
    """
    area = area or described.whole_frame
    chunks = plan_chunks(
        described.start_pts,
        described.end_pts,
        described.key_pts,
        described.time_base,
        Fraction(chunk_seconds),
    )
    frames: list[tuple[int, bytes]] = []
    missing: list[tuple[int, int]] = []
    for chunk in chunks:
        path = folder / f"{chunk.start_pts}_{chunk.end_pts}.zip"
        extracted = extract_chunk(
            Extraction.of(described, described.path, chunk, every_seconds, area, path)
        )
        stored = [(frame.pts, frame.picture.tobytes()) for frame in read_frames(path)]
        assert tuple(pts for pts, _ in stored) == extracted.sampled_pts
        frames += stored
        missing += extracted.missing
    return frames, union(missing)
