"""What is asked of the extraction of one chunk, and what it answers. Plain values, as JSON."""

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
    """A request: take the frames on display at the sample times of one chunk.

    Attributes:
        path: the episode file, absolute.
        size_bytes: its size when it was probed; another size means that it was changed.
        sha256: its identity, which the frame store file keeps.
        file_stamp: what the file had when it was found to have this content; None of a copy of our
            own, which nobody else writes to.
        time_base: seconds per pts unit.
        episode_start_pts: the time of sample 0.
        start_pts: the chunk's half-open range.
        end_pts: the same.
        every_seconds: the sampling interval.
        picture_area: what to cut out of each frame.
        width: of the episode's frames after rotation, which the area refers to.
        height: the same.
        rotation: see `VideoFile.rotation`.
        sample_aspect_ratio: see `VideoFile.sample_aspect_ratio`.
        lag_pts: see `VideoFile.lag_pts`.
        missing: ranges known to be absent; samples in them are not looked for.
        store_path: the frame store file to write.
    """

    path: str
    size_bytes: int
    sha256: str
    file_stamp: str | None
    time_base: Fraction
    episode_start_pts: int
    start_pts: int
    end_pts: int
    every_seconds: Fraction
    picture_area: PictureArea
    width: int
    height: int
    rotation: int
    sample_aspect_ratio: Fraction
    lag_pts: int | None
    missing: tuple[PtsRange, ...]
    store_path: str

    def __post_init__(self) -> None:
        """Check that the chunk holds something and lies in its episode."""
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
        """Ask for one chunk of an episode, whose file or a copy lies at `path`."""
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
        """What the frame store file says of itself, its frames' times aside."""
        return StoreManifest(
            sha256=self.sha256,
            time_base=self.time_base,
            every_seconds=self.every_seconds,
            start_pts=self.start_pts,
            end_pts=self.end_pts,
            picture_area=self.picture_area,
        )

    def to_json(self) -> str:
        """As one line of JSON; fractions as `"1/2"`."""
        return json.dumps(asdict(self), default=str)

    @classmethod
    def from_json(cls, text: str) -> "Extraction":
        """Read what `to_json` wrote.

        Raises:
            ValueError: it is not a request.
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
    """An answer: what lies in the frame store now.

    Attributes:
        sampled_pts: the stored frames, ascending. Fewer than samples where a frame stays on
            display for several of them.
        frames_decoded: frames that the decoder gave out.
        decode_errors: packets that failed and frames that came out damaged.
        missing: half-open ranges of the chunk without a frame: those of the request, and the
            sample intervals whose frame failed.
        cuts: where shots begin, as far as the chunk tells by itself; None where nobody looked.
        file_stamp: by which the file was found to have its content; empty where it tells nothing.
    """

    sampled_pts: tuple[int, ...]
    frames_decoded: int
    decode_errors: int
    missing: tuple[PtsRange, ...]
    cuts: Cuts | None = None
    file_stamp: str = ""

    def __post_init__(self) -> None:
        """Check order and counts, since the answer comes from a process that may be damaged."""
        if any(before >= after for before, after in pairwise(self.sampled_pts)):
            raise ValueError("sampled_pts must ascend")
        if self.frames_decoded < 0 or self.decode_errors < 0:
            raise ValueError("counts must not be negative")

    def to_json(self) -> str:
        """As one line of JSON."""
        values = {field.name: getattr(self, field.name) for field in fields(self)}
        return json.dumps(values | {"cuts": None if self.cuts is None else self.cuts.to_json()})

    @classmethod
    def from_json(cls, text: str) -> "Extracted":
        """Read what `to_json` wrote.

        Raises:
            ValueError: it is not an answer.
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
