"""Values with which questions about repeats are answered."""

from dataclasses import dataclass
from datetime import datetime
from fractions import Fraction

from castline.tables import Row, Table


@dataclass(frozen=True)
class Repeat(Row):
    """A half-open range of an episode that recurs in other episodes of its series."""

    episode: str
    """Name of the episode."""
    episode_id: int
    """Number of the episode in this library."""
    start_seconds: Fraction
    """Exact seconds from the episode's first frame, as is the end."""
    end_seconds: Fraction
    """Half-open end."""
    start_pts: int
    """In the episode's own time base, as is the end."""
    end_pts: int
    """Half-open end."""
    elsewhere: tuple[str, ...]
    """Names of the other episodes in which it was found."""
    searched_at: datetime
    """Time of the search."""

    @property
    def seconds(self) -> Fraction:
        """Exact duration in seconds."""
        return self.end_seconds - self.start_seconds


@dataclass(frozen=True, repr=False)
class Repeats(Table[Repeat]):
    """The ranges that recur, by episode and time."""

    nothing_in: tuple[str, ...] = ()
    """Names of episodes that were searched and have none."""
    unsearched: tuple[str, ...] = ()
    """Names of episodes that were never searched."""


@dataclass(frozen=True, repr=False)
class RepeatsFound(Repeats):
    """What a search found."""

    copies: tuple[tuple[str, str], ...] = ()
    """Pairs of names of episodes that are nearly equal, and therefore not compared."""
    alone: tuple[str, ...] = ()
    """Names of episodes that could be compared with no other one of their series."""
    without_frames: tuple[str, ...] = ()
    """Names of episodes whose frames are not stored."""
