"""Pages of episodes and of runs for a browser: each is read alone, however large the library."""

from collections.abc import Collection, Sequence
from dataclasses import dataclass
from enum import StrEnum
from typing import Any

from sqlalchemy import ColumnElement, Connection, func, literal, or_, select, tuple_

from db.library.episodes import EpisodeSummary, list_episodes
from db.schema import current_run, episode, run, run_label
from db.states import OPEN_RUN_STATES, RunState


class EpisodeOrder(StrEnum):
    """Orders of episodes; each is a strict order, so that a page continues after its last row."""

    CALLED = "called"
    """By series, season and number; then by file name."""
    NAME = "name"
    NEWEST = "newest"
    """Those that were added last first."""
    LONGEST = "longest"


@dataclass(frozen=True)
class EpisodeFilter:
    """Which episodes to list; the default is all."""

    text: str = ""
    """A part of the file name, of the series or of the title."""
    series: str | None = None
    season: int | None = None
    label: str | None = None
    """Only episodes in which this label appears."""
    state: RunState | None = None
    """Only episodes whose latest run has this state."""

    @property
    def conditions(self) -> list[ColumnElement[bool]]:
        """Conditions on the rows of `episode`."""
        found: list[ColumnElement[bool]] = []
        if self.text:
            columns = (episode.c.name, episode.c.series, episode.c.title)
            found.append(or_(*(column.icontains(self.text, autoescape=True) for column in columns)))
        if self.series is not None:
            found.append(episode.c.series == self.series)
        if self.season is not None:
            found.append(episode.c.season == self.season)
        if self.label is not None:
            shown = select(current_run.c.episode_id).join(
                run_label, run_label.c.run_id == current_run.c.run_id
            )
            found.append(episode.c.id.in_(shown.where(run_label.c.label == self.label)))
        if self.state is not None:
            latest = select(func.max(run.c.id)).group_by(run.c.episode_id)
            ids = select(run.c.episode_id).where(run.c.id.in_(latest), run.c.state == self.state)
            found.append(episode.c.id.in_(ids))
        return found


Keys = tuple[str | int | float, ...]
"""The values by which a row is ordered."""


@dataclass(frozen=True)
class EpisodeSlice:
    """Episodes in an order, from some place on."""

    episodes: tuple[EpisodeSummary, ...]
    last: Keys | None
    """Where the next slice begins; None if there are no more episodes."""


_KEYS: dict[EpisodeOrder, tuple[tuple[ColumnElement[Any], ...], bool]] = {
    EpisodeOrder.CALLED: (
        (
            # Episodes of no known series come last, on both databases.
            func.coalesce(episode.c.series, literal("\U0010ffff")),
            func.coalesce(episode.c.season, -1),
            func.coalesce(episode.c.number, -1),
            episode.c.name,
            episode.c.id,
        ),
        True,
    ),
    EpisodeOrder.NAME: ((episode.c.name, episode.c.id), True),
    EpisodeOrder.NEWEST: ((episode.c.id,), False),
    EpisodeOrder.LONGEST: ((episode.c.duration_seconds, episode.c.id), False),
}
"""For each order its columns, and whether they ascend."""


def browse_episodes(
    connection: Connection,
    wanted: EpisodeFilter,
    order: EpisodeOrder,
    after: Sequence[str | int | float] | None,
    limit: int,
) -> EpisodeSlice:
    """Return episodes in an order, at most `limit`, after the place where the last slice ended."""
    columns, ascends = _KEYS[order]
    keys = select(episode.c.id, *columns).where(*wanted.conditions)
    if after is not None:
        row = tuple_(*columns)
        keys = keys.where(row > tuple_(*after) if ascends else row < tuple_(*after))
    keys = keys.order_by(*(column if ascends else column.desc() for column in columns))
    rows = connection.execute(keys.limit(limit + 1)).all()
    page = rows[:limit]
    found = {item.id: item for item in list_episodes(connection, [row[0] for row in page])}
    last = tuple(page[-1][1:]) if len(rows) > limit else None
    return EpisodeSlice(tuple(found[row[0]] for row in page), last)


def kinds_of(order: EpisodeOrder) -> list[type | tuple[type, ...]]:
    """Return the types of the values by which episodes are ordered."""
    columns, _ = _KEYS[order]
    kinds = [column.type.python_type for column in columns]
    return [(int, float) if kind is float else kind for kind in kinds]


def count_episodes(connection: Connection, wanted: EpisodeFilter) -> int:
    """Return the number of episodes."""
    query = select(func.count()).select_from(episode).where(*wanted.conditions)
    return int(connection.execute(query).scalar_one())


@dataclass(frozen=True)
class LatestRun:
    """The state of the run of an episode that was enqueued last."""

    run_id: int
    state: RunState
    chunks_done: int
    chunks_total: int


def latest_runs(connection: Connection, episode_ids: Collection[int]) -> dict[int, LatestRun]:
    """Return the latest run of each of these episodes that has one."""
    query = (
        select(run.c.episode_id, run.c.id, run.c.state, run.c.chunks_done, run.c.chunks_total)
        .where(run.c.episode_id.in_(sorted(episode_ids)))
        .order_by(run.c.id)
    )
    return {
        row.episode_id: LatestRun(row.id, row.state, row.chunks_done, row.chunks_total)
        for row in connection.execute(query)
    }


def shown_casts(
    connection: Connection, episode_ids: Collection[int]
) -> dict[int, list[tuple[str, float]]]:
    """Return the labels on screen in these episodes with their seconds, the longest first."""
    query = (
        select(current_run.c.episode_id, run_label.c.label, run_label.c.seconds)
        .join(run_label, run_label.c.run_id == current_run.c.run_id)
        .where(current_run.c.episode_id.in_(sorted(episode_ids)))
        .order_by(current_run.c.episode_id, run_label.c.seconds.desc(), run_label.c.label)
    )
    found: dict[int, list[tuple[str, float]]] = {}
    for episode_id, label, seconds in connection.execute(query):
        found.setdefault(episode_id, []).append((label, seconds))
    return found


def shown_run_ids(connection: Connection, episode_ids: Collection[int]) -> dict[int, int]:
    """Return the current run of each of these episodes that has one."""
    query = select(current_run).where(current_run.c.episode_id.in_(sorted(episode_ids)))
    return {row.episode_id: row.run_id for row in connection.execute(query)}


def known_series(connection: Connection) -> list[tuple[str, int | None]]:
    """Return the series and seasons of all episodes, in order."""
    query = select(episode.c.series, episode.c.season).where(episode.c.series.is_not(None))
    rows = [(row.series, row.season) for row in connection.execute(query.distinct())]
    return sorted(rows, key=lambda row: (row[0], -1 if row[1] is None else row[1]))


def open_run_ids(connection: Connection) -> list[int]:
    """Return the runs with work left, the oldest first."""
    query = select(run.c.id).where(run.c.state.in_(OPEN_RUN_STATES)).order_by(run.c.id)
    return [row.id for row in connection.execute(query)]


def ended_run_ids(connection: Connection, before: int | None, limit: int) -> list[int]:
    """Return runs without work left, the latest first, older than run `before`."""
    query = select(run.c.id).where(run.c.state.not_in(OPEN_RUN_STATES))
    if before is not None:
        query = query.where(run.c.id < before)
    rows = connection.execute(query.order_by(run.c.id.desc()).limit(limit))
    return [row.id for row in rows]


def run_steps(connection: Connection) -> list[tuple[int, str, int, int]]:
    """Return (id, state, chunks done, frames) of open runs and the last ended one."""
    last = select(func.max(run.c.id)).where(run.c.ended_at.is_not(None)).scalar_subquery()
    query = select(run.c.id, run.c.state, run.c.chunks_done, run.c.frames)
    wanted = or_(run.c.state.in_(OPEN_RUN_STATES), run.c.id == last)
    return [
        (row.id, str(row.state), row.chunks_done, row.frames)
        for row in connection.execute(query.where(wanted).order_by(run.c.id))
    ]
