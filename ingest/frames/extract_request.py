"""The request to extract one chunk, and its answer: plain values, serialised as JSON."""

import json
from dataclasses import asdict, dataclass, fields
from fractions import Fraction
from itertools import pairwise
from pathlib import Path
from typing import Any, Self

from exact.picture_area import PictureArea
from exact.ranges import PtsRange, clip
from exact.video_file import VideoFile
from ingest.cuts import Cuts
from ingest.frames.chunks import ChunkRange
from ingest.sampling import SampleGrid
from ingest.storage.store_manifest import StoreManifest


@dataclass(frozen=True)
class Extraction:
    """A request to extract the frames on display at the sample times of one chunk."""

    path: str
    """Absolute path of the episode file."""
    size_bytes: int
    """Size of the file when it was probed; another size means that it was changed."""
    sha256: str
    """SHA-256 of the file, which the frame store file records."""
    file_stamp: str | None
    """Stamp of the file when its content was verified; None for a private copy, which no other
    program writes."""
    time_base: Fraction
    """Seconds per pts unit."""
    episode_start_pts: int
    """The time of sample 0."""
    start_pts: int
    """The half-open range of the chunk."""
    end_pts: int
    """The half-open end of the chunk."""
    every_seconds: Fraction
    """The sampling interval."""
    picture_area: PictureArea
    """The part to cut out of each frame."""
    width: int
    """Width of the episode's frames after rotation, to which the area refers."""
    height: int
    """Height of the episode's frames after rotation."""
    rotation: int
    """See `VideoFile.rotation`."""
    sample_aspect_ratio: Fraction
    """See `VideoFile.sample_aspect_ratio`."""
    lag_pts: int | None
    """See `VideoFile.lag_pts`."""
    missing: tuple[PtsRange, ...]
    """Ranges known to be missing; samples in them are skipped."""
    store_path: str
    """Path of the frame store file to write."""

    def __post_init__(self) -> None:
        """Check that the chunk is not empty and lies in its episode."""
        if not self.episode_start_pts <= self.start_pts < self.end_pts:
            raise ValueError(f"not a chunk: [{self.start_pts}, {self.end_pts}) of {self.path}")

    @classmethod
    def of(
        cls,
        file: VideoFile,
        path: str,
        chunk: ChunkRange,
        every_seconds: Fraction,
        picture_area: PictureArea,
        store_path: Path,
    ) -> Self:
        """Request one chunk of an episode; its file, or a copy of it, lies at `path`."""
        return cls(
            path=path,
            size_bytes=file.size_bytes,
            sha256=file.sha256,
            file_stamp=file.file_stamp,
            time_base=file.time_base,
            episode_start_pts=file.start_pts,
            start_pts=chunk.start_pts,
            end_pts=chunk.end_pts,
            every_seconds=every_seconds,
            picture_area=picture_area,
            width=file.width,
            height=file.height,
            rotation=file.rotation,
            sample_aspect_ratio=file.sample_aspect_ratio,
            lag_pts=file.lag_pts,
            missing=clip(file.missing, chunk.start_pts, chunk.end_pts),
            store_path=str(store_path),
        )

    @property
    def grid(self) -> SampleGrid:
        """The sample times of the whole episode."""
        return SampleGrid(self.episode_start_pts, self.every_seconds, self.time_base)

    @property
    def store_manifest(self) -> StoreManifest:
        """The manifest of the frame store file, without the times of the frames."""
        return StoreManifest(
            sha256=self.sha256,
            time_base=self.time_base,
            every_seconds=self.every_seconds,
            start_pts=self.start_pts,
            end_pts=self.end_pts,
            picture_area=self.picture_area,
        )

    def to_json(self) -> str:
        """Serialise to one line of JSON; fractions as `"1/2"`."""
        return json.dumps(asdict(self), default=str)

    @classmethod
    def from_json(cls, text: str) -> "Extraction":
        """Parse the output of `to_json`.

        Raises:
            ValueError: The text is not a request.
        """
        try:
            values: dict[str, Any] = json.loads(text)
            for name in ("time_base", "every_seconds", "sample_aspect_ratio"):
                values[name] = Fraction(values[name])
            values["picture_area"] = PictureArea(**values["picture_area"])
            values["missing"] = tuple((int(a), int(b)) for a, b in values["missing"])
            return cls(**values)
        except (KeyError, TypeError, AttributeError, ZeroDivisionError) as error:
            raise ValueError(f"not an extraction request: {error}") from error


@dataclass(frozen=True)
class Extracted:
    """An answer: the frames that are in the frame store now."""

    sampled_pts: tuple[int, ...]
    """The pts of the stored frames, ascending. There are fewer than samples where a frame stays on
    display for several samples."""
    frames_decoded: int
    """Number of frames that the decoder output."""
    decode_errors: int
    """Number of packets that failed and of frames that were damaged."""
    missing: tuple[PtsRange, ...]
    """Half-open ranges of the chunk without a frame: those of the request, and the sample intervals
    whose frame failed."""
    cuts: Cuts | None = None
    """First frames of shots, as far as the chunk alone shows them; None where they were not
    sought."""
    file_stamp: str = ""
    """Stamp with which the file's content was verified; empty where no stamp proves it."""

    def __post_init__(self) -> None:
        """Check order and counts, since the answer comes from a process that may be damaged."""
        if any(before >= after for before, after in pairwise(self.sampled_pts)):
            raise ValueError("sampled_pts must ascend")
        if self.frames_decoded < 0 or self.decode_errors < 0:
            raise ValueError("counts must not be negative")

    def to_json(self) -> str:
        """Serialise to one line of JSON."""
        values = {field.name: getattr(self, field.name) for field in fields(self)}
        return json.dumps(values | {"cuts": None if self.cuts is None else self.cuts.to_json()})

    @classmethod
    def from_json(cls, text: str) -> "Extracted":
        """Parse the output of `to_json`.

        Raises:
            ValueError: The text is not an answer.
        """
        try:
            values: dict[str, Any] = json.loads(text)
            values["sampled_pts"] = tuple(int(pts) for pts in values["sampled_pts"])
            values["missing"] = tuple((int(a), int(b)) for a, b in values["missing"])
            cuts = values["cuts"]
            values["cuts"] = None if cuts is None else Cuts.from_json(cuts)
            return cls(**values)
        except (KeyError, TypeError, AttributeError) as error:
            raise ValueError(f"not an extraction answer: {error}") from error
