"""What a frame store file says of itself: the `manifest.json` in it."""

import json
from dataclasses import asdict, dataclass
from fractions import Fraction
from typing import Any

from ingest.probe import PictureArea

FORMAT_VERSION = 1
"""Changes whenever stored pixels or the manifest would: a new number is a new file."""


@dataclass(frozen=True)
class StoreManifest:
    """What a frame store file holds.

    Attributes:
        sha256: of the episode.
        time_base: seconds per pts unit.
        every_seconds: the sampling interval.
        start_pts: of the chunk.
        end_pts: of the chunk, half-open.
        picture_area: what was cut out of each frame.
        pts: of the frames, ascending.
        format_version: of the file.
    """

    sha256: str
    time_base: Fraction
    every_seconds: Fraction
    start_pts: int
    end_pts: int
    picture_area: PictureArea
    pts: tuple[int, ...] = ()
    format_version: int = FORMAT_VERSION

    def to_json(self) -> str:
        """As JSON; fractions as `"1/2"`."""
        return json.dumps(asdict(self), default=str, indent=1)

    @classmethod
    def from_json(cls, text: str | bytes) -> "StoreManifest":
        """Read what `to_json` wrote.

        Raises:
            ValueError: it is not a manifest of this version.
        """
        try:
            fields: dict[str, Any] = json.loads(text)
            if fields["format_version"] != FORMAT_VERSION:
                raise ValueError(f"format version {fields['format_version']} is unknown")
            fields["time_base"] = Fraction(fields["time_base"])
            fields["every_seconds"] = Fraction(fields["every_seconds"])
            fields["picture_area"] = PictureArea(**fields["picture_area"])
            fields["pts"] = tuple(int(pts) for pts in fields["pts"])
            return cls(**fields)
        except (KeyError, TypeError, AttributeError, ZeroDivisionError) as error:
            raise ValueError(f"not a manifest: {error}") from error
