"""Public values that a browser shows."""

import os
from dataclasses import dataclass
from typing import Any

from castline.asking.values import Episode
from castline.tables import Row, Table
from castline.tagging.values import Run
from db.states import RunState


@dataclass(frozen=True)
class CastMember(Row):
    """A label in an episode, and how long it is on screen."""

    label: str
    seconds: float


@dataclass(frozen=True)
class NamedLabel(Row):
    """A label with its display name."""

    label: str
    name: str


@dataclass(frozen=True)
class BrowsedEpisode(Row):
    """An episode on a page of a library."""

    episode: Episode
    cast: tuple[CastMember, ...]
    """Who is on screen, the longest first."""
    state: RunState | None
    """State of the run that was enqueued last; None without any run."""
    run_id: int | None
    """Number of that run."""
    chunks_done: int
    """Of that run, as is the total."""
    chunks_total: int
    current_run: int | None
    """Number of the current run; None before the first run ended."""

    def to_dict(self) -> dict[str, Any]:
        """Return the fields of the episode and of its state, as plain values for JSON."""
        values = super().to_dict()
        return self.episode.to_dict() | {
            name: value for name, value in values.items() if name != "episode"
        }


@dataclass(frozen=True, repr=False)
class EpisodePage(Table[BrowsedEpisode]):
    """A page of episodes."""

    next: str | None = None
    """Cursor of the next page; None on the last one."""
    total: int = 0
    """Number of episodes on all pages."""


@dataclass(frozen=True)
class EpisodeDetails(Row):
    """An episode, how to show its picture, and what its current run examined."""

    browsed: BrowsedEpisode
    container: str
    """Name of the demuxer, such as `matroska,webm`."""
    codec: str
    """Name of the codec, such as `h264`."""
    area: tuple[float, float, float, float]
    """The active picture, in which places are given: left, top, width and height as shares of the
    whole picture."""
    unexamined: tuple[tuple[float, float], ...]
    """Ranges in seconds that the current run did not examine; everything without one."""
    every_seconds: float | None
    """Sampling interval of the current run."""

    @property
    def episode(self) -> Episode:
        """The episode."""
        return self.browsed.episode

    def to_dict(self) -> dict[str, Any]:
        """Return all fields by name, as plain values for JSON."""
        values = super().to_dict()
        del values["browsed"]
        return self.browsed.to_dict() | values


@dataclass(frozen=True)
class RunPage:
    """A page of the queue: all open runs, and some of those that ended."""

    open_runs: tuple[Run, ...]
    """Runs with work left, the oldest first."""
    ended_runs: tuple[Run, ...]
    """Runs without work left, the latest first."""
    next: int | None
    """Number of the run before which the next page begins; None on the last one."""


@dataclass(frozen=True)
class Contact(Row):
    """The geometry of contact sheets, and the time of each of their pictures."""

    columns: int
    """Pictures in a row."""
    width: int
    """Pixels of a picture."""
    height: int
    """Pixels of a picture."""
    sheets: tuple[tuple[float, ...], ...]
    """For each sheet the seconds of its pictures, row by row."""


@dataclass(frozen=True)
class OpenVideo:
    """An episode's file, open for reading."""

    episode: str
    """Name of the episode."""
    sha256: str
    """SHA-256 of its content."""
    place: str
    """A path of the open file itself: whatever happens to its name, this is the checked file."""
    status: os.stat_result
    """Its status."""
    media_type: str
    """Internet media type, such as `video/mp4`."""


@dataclass(frozen=True)
class Activity(Row):
    """What changes while the queue is worked on; equal values mean that nothing happened."""

    steps: tuple[tuple[int, str, int, int], ...]
    """(run, state, chunks done, frames) of open runs and of the last one that ended."""
    workers: int
    """Number of living workers."""
