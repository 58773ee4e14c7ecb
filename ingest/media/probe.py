"""The result of scanning an episode file."""

import json
from dataclasses import asdict, dataclass
from fractions import Fraction
from typing import Any

from exact.video_file import VideoFile


@dataclass(frozen=True, kw_only=True)
class Probe(VideoFile):
    """The description of an episode file at a path."""

    path: str
    """Absolute, real path."""

    def to_json(self) -> str:
        """Serialise to one line of JSON; fractions as `"24000/1001"`."""
        return json.dumps(asdict(self), default=str)

    @classmethod
    def from_json(cls, text: str) -> "Probe":
        """Parse the output of `to_json`.

        Raises:
            ValueError: The text is not the description of an episode.
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
