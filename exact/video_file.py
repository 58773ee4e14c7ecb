"""The description of an episode's file: identity, video stream, exact times and missing ranges."""

from dataclasses import dataclass
from fractions import Fraction

from exact.picture_area import PictureArea
from exact.ranges import PtsRange


@dataclass(frozen=True, kw_only=True)
class VideoFile:
    """The description of an episode file, from a scan of all its packets."""

    name: str
    """The file's name."""
    size_bytes: int
    """Size of the file; a different size shows that the file was changed."""
    sha256: str
    """SHA-256 of the whole content, in hexadecimal: the episode's identity."""
    file_stamp: str
    """Stamp that shows that the file still has this content; empty where no stamp can."""
    container: str
    """The demuxer's name, such as `matroska,webm`."""
    codec: str
    """The codec's name, such as `h264` or `hevc`."""
    width: int
    """Width in coded pixels after rotation."""
    height: int
    """Height in coded pixels after rotation."""
    rotation: int
    """Degrees counter-clockwise by which the picture is rotated for display."""
    pixel_format: str
    """Pixel format, such as `yuv420p`."""
    sample_aspect_ratio: Fraction
    """Width of a coded pixel over its height."""
    frame_rate: Fraction
    """Frames per second; the mean where the rate varies."""
    rate_varies: bool
    """Whether the frame rate is variable."""
    time_base: Fraction
    """Seconds per pts unit."""
    start_pts: int
    """Presentation timestamp (pts) of the first displayed frame."""
    end_pts: int
    """Half-open end: when the last frame ends, or the declared end of a truncated file."""
    key_pts: tuple[int, ...]
    """The pts of the displayed keyframes, ascending."""
    lag_pts: int | None
    """None where packets carry presentation timestamps. Otherwise (AVI) the offset from the
    decoding timestamp of a packet to the timestamp that the decoder gives its frame."""
    missing: tuple[PtsRange, ...]
    """Half-open ranges within [start_pts, end_pts) that are missing from the file."""

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
        """Duration from the first frame to the end, exact."""
        return self.seconds_at(self.end_pts)

    @property
    def whole_frame(self) -> PictureArea:
        """The picture area that covers the whole frame."""
        return PictureArea(0, 0, self.width, self.height)

    def seconds_at(self, pts: int) -> Fraction:
        """Return the exact seconds from the first frame to a time."""
        return (pts - self.start_pts) * self.time_base
