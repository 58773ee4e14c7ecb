"""What is known of an episode's file: its identity, its stream, its exact times, what it lacks."""

from dataclasses import dataclass
from fractions import Fraction

from exact.picture_area import PictureArea
from exact.ranges import PtsRange


@dataclass(frozen=True, kw_only=True)
class VideoFile:
    """An episode file, as a scan of all its packets describes it.

    Attributes:
        name: the file's name.
        size_bytes: its size, by which a later change is noticed.
        sha256: of its whole content, in hexadecimal: the episode's identity.
        file_stamp: by which it is known to have this content still; empty where nothing tells.
        container: the demuxer's name, `matroska,webm`.
        codec: `h264`, `hevc`, ...
        width: coded pixels after rotation.
        height: coded pixels after rotation.
        rotation: degrees counter-clockwise by which the picture is turned for display.
        pixel_format: `yuv420p`, ...
        sample_aspect_ratio: width of a coded pixel over its height.
        frame_rate: frames per second; the mean where it varies.
        rate_varies: whether frames come at uneven steps.
        time_base: seconds per pts unit.
        start_pts: the first displayed frame.
        end_pts: half-open; when the last frame leaves, or the declared end of a truncated file.
        key_pts: displayed key frames, ascending.
        lag_pts: None where the packets state display times; else (AVI) what to add to their
            decoding times to get those that the decoder gives the frames.
        missing: half-open ranges within [start_pts, end_pts) that the file lacks.
    """

    name: str
    size_bytes: int
    sha256: str
    file_stamp: str
    container: str
    codec: str
    width: int
    height: int
    rotation: int
    pixel_format: str
    sample_aspect_ratio: Fraction
    frame_rate: Fraction
    rate_varies: bool
    time_base: Fraction
    start_pts: int
    end_pts: int
    key_pts: tuple[int, ...]
    lag_pts: int | None
    missing: tuple[PtsRange, ...]

    def __post_init__(self) -> None:
        """Check the ranges and the units."""
        if self.start_pts >= self.end_pts:
            raise ValueError(f"an episode must not be empty: [{self.start_pts}, {self.end_pts})")
        if min(self.time_base, self.frame_rate, self.sample_aspect_ratio) <= 0:
            raise ValueError(f"rates and units must be positive: {self.name}")
        if min(self.width, self.height, self.size_bytes) <= 0 or len(self.sha256) != 64:
            raise ValueError(f"not the description of a file: {self.name}")

    @property
    def duration_seconds(self) -> Fraction:
        """From the first frame to the end, exact."""
        return self.seconds_at(self.end_pts)

    @property
    def whole_frame(self) -> PictureArea:
        """The area without any cut."""
        return PictureArea(0, 0, self.width, self.height)

    def seconds_at(self, pts: int) -> Fraction:
        """Seconds from the first frame to a time, exact."""
        return (pts - self.start_pts) * self.time_base
