"""The `manifest.json` of a frame store file."""

import json
from dataclasses import asdict, dataclass, fields
from fractions import Fraction
from typing import Any

from exact.picture_area import PictureArea
from ingest.cuts import Cuts

FORMAT_VERSION = 2
"""Increases whenever stored pixels or the manifest change: a new number gives a new file.

Version 1 had at most 144 rows and no cuts."""


@dataclass(frozen=True)
class StoreManifest:
    """The description of a frame store file."""

    sha256: str
    """SHA-256 of the episode."""
    time_base: Fraction
    """Seconds per pts unit."""
    every_seconds: Fraction
    """The sampling interval."""
    start_pts: int
    """Start of the chunk."""
    end_pts: int
    """Half-open end of the chunk."""
    picture_area: PictureArea
    """The part that was cut out of each frame."""
    pts: tuple[int, ...] = ()
    """The pts of the frames, ascending."""
    cuts: Cuts | None = None
    """First frames of shots in the chunk, as far as the chunk alone shows them, from all decoded
    frames; None where they were not sought."""
    format_version: int = FORMAT_VERSION
    """Format version of the file."""

    def to_json(self) -> str:
        """Serialise to JSON; fractions as `"1/2"`."""
        values = {field.name: getattr(self, field.name) for field in fields(self)}
        values["picture_area"] = asdict(self.picture_area)
        values["cuts"] = None if self.cuts is None else json.loads(self.cuts.to_json())
        return json.dumps(values, default=str, indent=1)

    @classmethod
    def from_json(cls, text: str | bytes) -> "StoreManifest":
        """Parse the output of `to_json`.

        Raises:
            ValueError: The text is not a manifest of this version.
        """
        try:
            values: dict[str, Any] = json.loads(text)
            if values["format_version"] != FORMAT_VERSION:
                raise ValueError(f"format version {values['format_version']} is unknown")
            values["time_base"] = Fraction(values["time_base"])
            values["every_seconds"] = Fraction(values["every_seconds"])
            values["picture_area"] = PictureArea(**values["picture_area"])
            values["pts"] = tuple(int(pts) for pts in values["pts"])
            cuts = values["cuts"]
            values["cuts"] = None if cuts is None else Cuts.from_json(json.dumps(cuts))
            return cls(**values)
        except (KeyError, TypeError, AttributeError, ZeroDivisionError) as error:
            raise ValueError(f"not a manifest: {error}") from error
