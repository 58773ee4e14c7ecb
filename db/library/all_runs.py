"""All episodes with all their runs, from which reruns are planned."""

from collections import defaultdict
from dataclasses import dataclass
from datetime import datetime

from sqlalchemy import Connection, func, select

from db.library.episode_rows import episode_record
from db.library.runs import list_runs
from db.records import EpisodeRecord, RunRecord
from db.schema import chunk, episode
from db.schema import run as run_table
from db.states import ChunkState
from exact.ranges import PtsRanges


@dataclass(frozen=True)
class LibraryEntry:
    """An episode and its runs."""

    episode: EpisodeRecord
    added_at: datetime
    runs: tuple[RunRecord, ...]
    """The runs, oldest first."""

    @property
    def current(self) -> RunRecord | None:
        """The current run, which queries see."""
        return next((run for run in self.runs if run.is_current), None)


def list_library(connection: Connection) -> list[LibraryEntry]:
    """Return every episode, by name."""
    runs: dict[int, list[RunRecord]] = defaultdict(list)
    for run in list_runs(connection):
        runs[run.episode_id].append(run)
    rows = connection.execute(select(episode).order_by(episode.c.name, episode.c.id))
    return [
        LibraryEntry(episode_record(row), row.added_at, tuple(runs.get(row.id, ()))) for row in rows
    ]


def chunk_ranges(connection: Connection, run_id: int) -> PtsRanges:
    """Return half-open [start_pts, end_pts) of a run's chunks, in order of time."""
    rows = connection.execute(
        select(chunk.c.start_pts, chunk.c.end_pts)
        .where(chunk.c.run_id == run_id)
        .order_by(chunk.c.start_pts)
    )
    return tuple((row.start_pts, row.end_pts) for row in rows)


def runs_of(connection: Connection, episode_id: int) -> tuple[int, ...]:
    """Return the numbers of an episode's runs, the oldest first."""
    own = select(run_table.c.id).where(run_table.c.episode_id == episode_id)
    rows = connection.execute(own)
    return tuple(sorted(int(run_id) for run_id in rows.scalars()))


def untagged_chunks(connection: Connection, run_id: int) -> int:
    """Return how many of a run's chunks have no tags yet, including those that failed too often."""
    return connection.execute(
        select(func.count()).where(chunk.c.run_id == run_id, chunk.c.state != ChunkState.TAGGED)
    ).scalar_one()
