"""What an episode file is: its identity, its stream, its exact times, and what it lacks."""

import json
from dataclasses import asdict, dataclass
from fractions import Fraction
from typing import Any

from ingest.sampling import PtsRange


@dataclass(frozen=True)
class PictureArea:
    """The part of a frame that shows something, in coded pixels after rotation."""

    x: int
    y: int
    width: int
    height: int

    def __post_init__(self) -> None:
        """Check that the area is not empty and starts inside the frame."""
        if self.x < 0 or self.y < 0 or self.width <= 0 or self.height <= 0:
            raise ValueError(f"not a picture area: {self}")


@dataclass(frozen=True)
class Probe:
    """An episode file, described by a scan of all its packets.

    Attributes:
        path: absolute, real.
        name: the file's name.
        size_bytes: its size, by which a later change is noticed.
        sha256: of its whole content, in hexadecimal: the episode's identity.
        file_stamp: by which it is known to have this content still; see `media_file.stamp_of`.
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

    path: str
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
            raise ValueError(f"rates and units must be positive: {self.path}")
        if min(self.width, self.height, self.size_bytes) <= 0 or len(self.sha256) != 64:
            raise ValueError(f"not the description of a file: {self.path}")

    @property
    def duration_seconds(self) -> Fraction:
        """From the first frame to the end, exact."""
        return (self.end_pts - self.start_pts) * self.time_base

    @property
    def whole_frame(self) -> PictureArea:
        """The area without any cut."""
        return PictureArea(0, 0, self.width, self.height)

    def to_json(self) -> str:
        """As one line of JSON; fractions as `"24000/1001"`."""
        return json.dumps(asdict(self), default=str)

    @classmethod
    def from_json(cls, text: str) -> "Probe":
        """Read what `to_json` wrote.

        Raises:
            ValueError: it is not the description of an episode.
        """
        try:
            fields: dict[str, Any] = json.loads(text)
            for name in ("sample_aspect_ratio", "frame_rate", "time_base"):
                fields[name] = Fraction(fields[name])
            fields["key_pts"] = tuple(int(pts) for pts in fields["key_pts"])
            fields["missing"] = tuple((int(a), int(b)) for a, b in fields["missing"])
            return cls(**fields)
        except (KeyError, TypeError, AttributeError, ZeroDivisionError) as error:
            raise ValueError(f"not the description of an episode: {error}") from error
