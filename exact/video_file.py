"""What is known of an episode's file: its identity, its stream, its exact times, what it lacks."""

from dataclasses import dataclass
from fractions import Fraction

from exact.picture_area import PictureArea
from exact.ranges import PtsRange


@dataclass(frozen=True, kw_only=True)
class VideoFile:
    """An episode file, as a scan of all its packets describes it."""

    name: str
    """The file's name."""
    size_bytes: int
    """Its size, by which a later change is noticed."""
    sha256: str
    """Of its whole content, in hexadecimal: the episode's identity."""
    file_stamp: str
    """By which it is known to have this content still; empty where nothing tells."""
    container: str
    """The demuxer's name, `matroska,webm`."""
    codec: str
    """`h264`, `hevc`, ..."""
    width: int
    """Coded pixels after rotation."""
    height: int
    """Coded pixels after rotation."""
    rotation: int
    """Degrees counter-clockwise by which the picture is turned for display."""
    pixel_format: str
    """`yuv420p`, ..."""
    sample_aspect_ratio: Fraction
    """Width of a coded pixel over its height."""
    frame_rate: Fraction
    """Frames per second; the mean where it varies."""
    rate_varies: bool
    """Whether frames come at uneven steps."""
    time_base: Fraction
    """Seconds per pts unit."""
    start_pts: int
    """The first displayed frame."""
    end_pts: int
    """Half-open; when the last frame leaves, or the declared end of a truncated file."""
    key_pts: tuple[int, ...]
    """Displayed key frames, ascending."""
    lag_pts: int | None
    """None where the packets state display times; else (AVI) what to add to their decoding times to
    get those that the decoder gives the frames."""
    missing: tuple[PtsRange, ...]
    """Half-open ranges within [start_pts, end_pts) that the file lacks."""

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
