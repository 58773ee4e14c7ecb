"""What a frame store file says of itself: the `manifest.json` in it."""

import json
from dataclasses import asdict, dataclass, fields
from fractions import Fraction
from typing import Any

from exact.picture_area import PictureArea
from ingest.cuts import Cuts

FORMAT_VERSION = 2
"""Changes whenever stored pixels or the manifest would: a new number is a new file.

1 had 144 rows at most and no cuts."""


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
        cuts: where shots begin in the chunk, as far as it tells by itself, from all frames that
            were decoded; None where nobody looked.
        format_version: of the file.
    """

    sha256: str
    time_base: Fraction
    every_seconds: Fraction
    start_pts: int
    end_pts: int
    picture_area: PictureArea
    pts: tuple[int, ...] = ()
    cuts: Cuts | None = None
    format_version: int = FORMAT_VERSION

    def to_json(self) -> str:
        """As JSON; fractions as `"1/2"`."""
        values = {field.name: getattr(self, field.name) for field in fields(self)}
        values["picture_area"] = asdict(self.picture_area)
        values["cuts"] = None if self.cuts is None else json.loads(self.cuts.to_json())
        return json.dumps(values, default=str, indent=1)

    @classmethod
    def from_json(cls, text: str | bytes) -> "StoreManifest":
        """Read what `to_json` wrote.

        Raises:
            ValueError: it is not a manifest of this version.
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
