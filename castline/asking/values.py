"""What questions are answered with."""

from dataclasses import dataclass
from datetime import datetime
from fractions import Fraction
from typing import Any, Literal, NamedTuple, TypeAlias

from castline.tables import Row, Table

Grouping: TypeAlias = Literal["character", "episode", "season"]
"""What screen time is added up by; always by character, too."""


class Place(NamedTuple):
    """Where in the active picture a label was seen, as shares of it."""

    x: float
    """Of the centre, from the left edge (0) to the right (1)."""
    y: float
    """Of the centre, from the upper edge (0) to the lower (1)."""
    width: float
    height: float


@dataclass(frozen=True)
class Episode(Row):
    """An episode that the library knows."""

    name: str
    sha256: str
    """Of its content, by which it is known."""
    path: str
    """Where it lies; a URL on shared storage."""
    duration_seconds: float
    width: int
    height: int
    frame_rate: Fraction
    added_at: datetime
    model: str | None
    """NAME@VERSION of the run that is shown; None before the first run ended."""
    labels: int
    """How many labels appear."""

    def to_dict(self) -> dict[str, Any]:
        """Returns its fields by name, as JSON takes them."""
        values = super().to_dict()
        return {"episode": values.pop("name")} | values | {"frame_rate": str(self.frame_rate)}


@dataclass(frozen=True)
class Appearance(Row):
    """A label over a half-open range of an episode."""

    episode: str
    label: str
    start_seconds: float
    """From the episode's first frame, as the end."""
    end_seconds: float
    start_pts: int
    """In the episode's own time base, as the end."""
    end_pts: int
    frames: int
    """How many sampled frames show it."""
    mean_confidence: float
    max_confidence: float
    is_corrected: bool = False
    """Whether a person's word decided it, or one of its borders."""
    place: Place | None = None
    """None where the model tells none, or where it was not asked for."""

    @property
    def seconds(self) -> float:
        """How long it lasts."""
        return self.end_seconds - self.start_seconds


@dataclass(frozen=True)
class Match(Row):
    """A half-open range of an episode in which an expression holds."""

    episode: str
    label: str | None
    """Where one label alone was asked for."""
    expression: str
    """As it was understood, with whole labels."""
    start_seconds: Fraction
    """From the episode's first frame, exactly, as the end."""
    end_seconds: Fraction
    start_pts: int
    end_pts: int
    frames: int | None
    """None, as the confidences, unless this is one appearance of a label."""
    mean_confidence: float | None
    max_confidence: float | None

    @property
    def seconds(self) -> Fraction:
        """How long it lasts, exactly."""
        return self.end_seconds - self.start_seconds


@dataclass(frozen=True)
class ScreenTime(Row):
    """How long a label is on screen, in all or in one episode or season."""

    label: str
    seconds: float
    appearances: int
    episodes: int
    episode: str | None = None
    season: int | None = None


@dataclass(frozen=True)
class SharedTime(Row):
    """How long two labels are on screen together, in all or in one episode."""

    label: str
    other: str
    seconds: float
    times: int
    episodes: int
    episode: str | None = None


@dataclass(frozen=True, repr=False)
class Appearances(Table[Appearance]):
    """Who is on screen."""

    label: str | None = None
    """The one label that was asked for, as it is stored."""
    unexamined: tuple[tuple[float, float], ...] = ()
    """Ranges in seconds, of those asked for, that nobody looked at: silence there means nothing."""


@dataclass(frozen=True, repr=False)
class Matches(Table[Match]):
    """Where an expression holds."""

    expression: str = ""
    """As it was understood, with whole labels."""
    label: str | None = None
    """Where one label alone was asked for."""
    min_seconds: Fraction = Fraction(0)
    """The shortest ranges that were asked for."""


@dataclass(frozen=True, repr=False)
class SharedTimes(Table[SharedTime]):
    """Who is on screen together."""

    labels: tuple[str, ...] = ()
    """Those that were asked for, as they are stored."""
