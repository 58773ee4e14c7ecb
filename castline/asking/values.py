"""Values with which questions are answered."""

from dataclasses import dataclass
from datetime import datetime
from fractions import Fraction
from typing import Any, Literal, NamedTuple, TypeAlias

from castline.tables import Row, Table
from db.episode_names import EpisodeName

Grouping: TypeAlias = Literal["character", "episode", "season"]
"""Grouping of screen time, in addition to the character."""


class Place(NamedTuple):
    """The place of a label in the active picture, as shares of it."""

    x: float
    """Centre, from the left edge (0) to the right (1)."""
    y: float
    """Centre, from the upper edge (0) to the lower (1)."""
    width: float
    """Width, which may reach over the edges."""
    height: float
    """Height, which may reach over the edges."""


@dataclass(frozen=True)
class Episode(Row):
    """An episode in the library."""

    id: int
    """Its number here."""
    name: str
    """File name; with as many folders as tell files of one name apart."""
    series: str | None
    """Name of the series, from the path or set by a user; None if unknown."""
    season: int | None
    """Number of the season, or None."""
    number: int | None
    """Number of the episode in its season, or None."""
    title: str | None
    """Title of the episode, or None."""
    sha256: str
    """SHA-256 of the content, which identifies the episode."""
    path: str
    """Path of the file; a URL on shared storage."""
    duration_seconds: float
    """Duration."""
    width: int
    """Width in pixels after rotation."""
    height: int
    """Height in pixels after rotation."""
    frame_rate: Fraction
    """Frames per second, exact; the mean where the rate varies."""
    added_at: datetime
    """Time at which it was added to the library."""
    model: str | None
    """NAME@VERSION of the current run; None before the first run ended."""
    labels: int
    """Number of labels that appear."""

    def to_dict(self) -> dict[str, Any]:
        """Return the fields by name, as plain values for JSON."""
        values = super().to_dict()
        named = {"episode": values.pop("name"), "episode_id": values.pop("id")}
        return named | values | {"frame_rate": str(self.frame_rate)}

    @property
    def called(self) -> str:
        """As people say it: `The Town S05E12 Bart Gets Famous`; empty where nothing is known."""
        return EpisodeName(self.series, self.season, self.number, self.title).text


@dataclass(frozen=True)
class Appearance(Row):
    """An appearance: one label over a half-open range of an episode."""

    episode: str
    """Name of the episode."""
    label: str
    """The label."""
    start_seconds: float
    """Seconds from the episode's first frame, as is the end."""
    end_seconds: float
    """Half-open end."""
    start_pts: int
    """In the episode's own time base, as is the end."""
    end_pts: int
    """Half-open end."""
    frames: int
    """Number of sampled frames that show the label."""
    mean_confidence: float
    """Mean confidence over these frames, 0 to 1."""
    max_confidence: float
    """Greatest confidence in these frames, 0 to 1."""
    is_corrected: bool = False
    """Whether a person decided it, or moved one of its borders."""
    place: Place | None = None
    """Place in the picture; None where the model gives none, or where it was not requested."""
    episode_id: int | None = None
    """Number of the episode in this library."""

    @property
    def seconds(self) -> float:
        """Duration in seconds."""
        return self.end_seconds - self.start_seconds


@dataclass(frozen=True)
class Match(Row):
    """A half-open range of an episode in which an expression holds."""

    episode: str
    """Name of the episode."""
    label: str | None
    """The label, if the expression is a single label."""
    expression: str
    """The expression as it was parsed, with complete labels."""
    start_seconds: Fraction
    """Exact seconds from the episode's first frame, as is the end."""
    end_seconds: Fraction
    """Half-open end."""
    start_pts: int
    """In the episode's own time base, as is the end."""
    end_pts: int
    """Half-open end."""
    frames: int | None
    """Number of sampled frames; None, as are the confidences, unless this is one appearance of a
    label."""
    mean_confidence: float | None
    """Mean confidence of the appearance, or None."""
    max_confidence: float | None
    """Greatest confidence of the appearance, or None."""
    episode_id: int
    """Number of the episode in this library."""

    @property
    def seconds(self) -> Fraction:
        """Exact duration in seconds."""
        return self.end_seconds - self.start_seconds


@dataclass(frozen=True)
class ScreenTime(Row):
    """The screen time of a label, in total or in one episode or season."""

    label: str
    """The label."""
    seconds: float
    """Total screen time."""
    appearances: int
    """Number of appearances."""
    episodes: int
    """Number of episodes with an appearance."""
    episode: str | None = None
    """Name of the episode, if grouped by episode."""
    episode_id: int | None = None
    """Number of the episode, if grouped by episode."""
    series: str | None = None
    """Name of the series, if grouped by season."""
    season: int | None = None
    """The season, if grouped by season."""


@dataclass(frozen=True)
class SharedTime(Row):
    """The time that two labels share the screen, in total or in one episode."""

    label: str
    """The first label in alphabetical order."""
    other: str
    """The second label."""
    seconds: float
    """Total time on screen together."""
    times: int
    """Number of times on screen together."""
    episodes: int
    """Number of episodes in which they share the screen."""
    episode: str | None = None
    """Name of the episode, if listed episode by episode."""
    episode_id: int | None = None
    """Number of the episode, if listed episode by episode."""


@dataclass(frozen=True, repr=False)
class Appearances(Table[Appearance]):
    """The appearances that answer a question."""

    label: str | None = None
    """The label in question, as it is stored, if there is only one."""
    unexamined: tuple[tuple[float, float], ...] = ()
    """Parts of the requested time, in seconds, that were not examined: characters may appear
    there."""


@dataclass(frozen=True, repr=False)
class Matches(Table[Match]):
    """The ranges in which an expression holds."""

    expression: str = ""
    """The expression as it was parsed, with complete labels."""
    label: str | None = None
    """The label, if the expression is a single label."""
    min_seconds: Fraction = Fraction(0)
    """The least duration of ranges that was requested."""
    next: str | None = None
    """Cursor of the ranges after these; None if there are no more."""


@dataclass(frozen=True, repr=False)
class SharedTimes(Table[SharedTime]):
    """Pairs of characters that share the screen."""

    labels: tuple[str, ...] = ()
    """The labels in question, as they are stored."""
