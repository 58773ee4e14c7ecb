"""Queries for appearances, screen time and labels.

All go through `selected_runs`, so each episode is seen by one run only.
"""

import json
from collections.abc import Callable, Collection, Sequence
from dataclasses import dataclass, replace
from typing import Any, Literal, TypeAlias

from sqlalchemy import ColumnElement, Connection, FromClause, Select, Subquery, func, or_, select

from db.episode_names import EpisodeName
from db.failures import reading_rows
from db.library.corrections import labels_said
from db.library.current import CURRENT, RunSelection, selected_runs
from db.library.places import place_record, with_places
from db.library.runs import appearance_record
from db.records import AppearanceRecord
from db.schema import episode, model_version
from exact.place import Place

Grouping: TypeAlias = Literal["character", "episode", "season"]
"""Grouping of screen time, in addition to the character."""


@dataclass(frozen=True)
class EpisodeAppearance:
    """An appearance with the name of its episode, and the run that found it."""

    episode: str
    episode_id: int
    run_id: int
    appearance: AppearanceRecord
    place: Place | None = None
    """Place in the picture, if it was requested and is known."""


@dataclass(frozen=True)
class ScreenTime:
    """The screen time of a label, in total or in one episode or season."""

    label: str
    seconds: float
    appearances: int
    episodes: int
    episode: str | None = None
    episode_id: int | None = None
    series: str | None = None
    season: int | None = None


@dataclass(frozen=True)
class SharedTime:
    """The time that two labels share the screen, in total or in one episode."""

    label: str
    other: str
    seconds: float
    times: int
    episodes: int
    episode: str | None = None
    episode_id: int | None = None


def find_appearances(
    connection: Connection,
    *,
    episode_id: int | None = None,
    run_ids: Collection[int] | None = None,
    label: str | None = None,
    at_seconds: float | None = None,
    from_seconds: float | None = None,
    to_seconds: float | None = None,
    min_seconds: float = 0.0,
    places: bool = False,
    selection: RunSelection = CURRENT,
) -> list[EpisodeAppearance]:
    """Return appearances of the shown runs, by episode and time.

    Args:
        connection: An open connection.
        episode_id: Only in this episode.
        run_ids: Only of these runs.
        label: Only of this label.
        at_seconds: Only those on screen at this time: start <= at < end.
        from_seconds: Only those that end after this time.
        to_seconds: Only those that start before this time.
        min_seconds: Only those that last at least this long.
        places: Also return places: at `at_seconds`, or else the most confident one.
        selection: The runs; the current ones by default.
    """
    if (selection.raw or selection.skip_repeats) and episode_id is not None:
        selection = _of_episode(connection, episode_id, selection)
    runs, appearance = selected_runs(selection), selection.layer.appearance
    query = _appearances(runs, appearance).order_by(
        episode.c.name, episode.c.id, appearance.c.start_pts, appearance.c.label
    )
    start, end = appearance.c.start_seconds, appearance.c.end_seconds
    conditions: list[tuple[Any, Callable[[Any], ColumnElement[bool]]]] = [
        (episode_id, lambda wanted: runs.c.episode_id == wanted),
        (run_ids, runs.c.run_id.in_),
        (label, lambda wanted: appearance.c.label == wanted),
        (at_seconds, lambda at: (start <= at) & (end > at)),
        (from_seconds, lambda seconds: end > seconds),
        (to_seconds, lambda seconds: start < seconds),
        (min_seconds or None, lambda seconds: end - start >= seconds),
    ]
    query = query.where(*(limit(value) for value, limit in conditions if value is not None))
    return _found(
        connection, with_places(query, at_seconds, appearance) if places else query, places
    )


@dataclass(frozen=True)
class Season:
    """A limit of a question to a season, a series or both."""

    season: int | None = None
    series: str | None = None

    @property
    def conditions(self) -> list[ColumnElement[bool]]:
        """Conditions on the rows of these episodes."""
        wanted = {episode.c.season: self.season, episode.c.series: self.series}
        return [column == value for column, value in wanted.items() if value is not None]

    def includes(self, called: EpisodeName) -> bool:
        """Whether an episode of this name is one of them."""
        wanted = {called.season: self.season, called.series: self.series}
        return all(value in (None, own) for own, value in wanted.items())

    @property
    def is_all(self) -> bool:
        """Whether it includes all episodes."""
        return self == ANY_SEASON


ANY_SEASON = Season()


def examined_seasons(
    connection: Connection, selection: RunSelection = CURRENT
) -> list[tuple[str | None, int | None]]:
    """Return, in order, the (series, season) with an episode that has a shown run."""
    runs = selected_runs(selection)
    query = select(episode.c.series, episode.c.season).join(runs, episode.c.id == runs.c.episode_id)
    rows = connection.execute(query.distinct()).all()
    return sorted(map(tuple, rows), key=lambda row: (row[0] or "", row[1] or -1))


def first_appearances(
    connection: Connection,
    label: str,
    *,
    season: Season = ANY_SEASON,
    limit: int | None = None,
    places: bool = False,
    selection: RunSelection = CURRENT,
) -> list[EpisodeAppearance]:
    """Return the first appearance of a label in each episode in which it appears, by episode.

    With `places`, also its most confident place.
    """
    appearance, run_label = selection.layer.appearance, selection.layer.run_label
    query = (
        _appearances(selected_runs(selection), appearance)
        .join(
            run_label,
            (run_label.c.run_id == appearance.c.run_id)
            & (run_label.c.label == appearance.c.label)
            & (run_label.c.first_pts == appearance.c.start_pts),
        )
        .where(run_label.c.label == label)
        .order_by(episode.c.name, episode.c.id)
        .limit(limit)
    )
    query = query.where(*season.conditions)
    return _found(
        connection,
        with_places(query, appearance=appearance) if places else query,
        places,
    )


def screen_time(
    connection: Connection,
    episode_id: int | None = None,
    *,
    by: Grouping = "character",
    label: str | None = None,
    season: Season = ANY_SEASON,
    top: int | None = None,
    limit: int | None = None,
    selection: RunSelection = CURRENT,
) -> list[ScreenTime]:
    """Return the screen time over the shown runs: by episode or season, then longest first.

    Seasons of different series are never added together.

    Args:
        connection: An open connection.
        episode_id: Only in this episode.
        by: Grouping in addition to the label.
        label: Only of this label.
        season: Only in this season.
        top: Only this number of labels for each episode or season, the longest on screen first.
        limit: Maximum number of rows.
        selection: The runs; the current ones by default.
    """
    runs, run_label = selected_runs(selection), selection.layer.run_label
    columns: dict[Grouping, list[Any]] = {
        "character": [],
        "episode": [episode.c.name, episode.c.id],
        "season": [_SERIES, _SEASON],
    }
    within = columns[by]
    seconds = func.sum(run_label.c.seconds)
    query = (
        select(
            run_label.c.label,
            seconds.label("seconds"),
            func.sum(run_label.c.appearances).label("appearances"),
            func.count().label("episodes"),
            *within,
        )
        .select_from(runs)
        .join(run_label, run_label.c.run_id == runs.c.run_id)
        .join(episode, episode.c.id == runs.c.episode_id)
        .group_by(*within, run_label.c.label)
    )
    if episode_id is not None:
        query = query.where(runs.c.episode_id == episode_id)
    if label is not None:
        query = query.where(run_label.c.label == label)
    query = query.where(*season.conditions)
    longest_first = seconds.desc(), run_label.c.label
    if top is None:
        query = query.order_by(*within, *longest_first)
    else:
        query = _first_of_each(query, within, longest_first, top)
    return [
        ScreenTime(
            label=row.label,
            seconds=row.seconds,
            appearances=int(row.appearances),
            episodes=row.episodes,
            episode=row.name if by == "episode" else None,
            episode_id=row.id if by == "episode" else None,
            series=(row.series or None) if by == "season" else None,
            season=row.season if by == "season" and row.season >= 0 else None,
        )
        for row in connection.execute(query.limit(limit)).all()
    ]


def _first_of_each(
    query: Select[Any],
    within: Sequence[ColumnElement[Any]],
    order: Sequence[ColumnElement[Any]],
    count: int,
) -> Select[Any]:
    """The first rows of each group, in the order of groups."""
    places = func.row_number().over(partition_by=within or None, order_by=order)
    of_all = func.row_number().over(order_by=[*within, *order])
    found = query.add_columns(places.label("place"), of_all.label("of_all")).subquery()
    return select(found).where(found.c.place <= count).order_by(found.c.of_all)


def shared_time(
    connection: Connection,
    labels: tuple[str, ...] = (),
    *,
    by_episode: bool = False,
    episode_id: int | None = None,
    season: Season = ANY_SEASON,
    limit: int | None = None,
    selection: RunSelection = CURRENT,
) -> list[SharedTime]:
    """Return how long pairs share the screen, the longest first; or by episode.

    Args:
        connection: An open connection.
        labels: Only pairs with this label, or only the pair of these two.
        by_episode: Return a row for each episode and pair, by episode.
        episode_id: Only in this episode.
        season: Only in this season.
        limit: Maximum number of rows.
        selection: The runs; the current ones by default.
    """
    runs, run_pair = selected_runs(selection), selection.layer.run_pair
    within = [episode.c.name, episode.c.id] if by_episode else []
    seconds = func.sum(run_pair.c.seconds)
    query = (
        select(
            run_pair.c.label,
            run_pair.c.other,
            seconds.label("seconds"),
            func.sum(run_pair.c.times).label("times"),
            func.count().label("episodes"),
            *within,
        )
        .select_from(run_pair)
        .join(runs, runs.c.run_id == run_pair.c.run_id)
        .group_by(*within, run_pair.c.label, run_pair.c.other)
        .order_by(*within, seconds.desc(), run_pair.c.label, run_pair.c.other)
        .limit(limit)
    )
    if by_episode or not season.is_all:  # a third faster without the join
        query = query.join(episode, episode.c.id == runs.c.episode_id)
    if len(labels) == 2:
        first, second = sorted(labels)
        query = query.where(run_pair.c.label == first, run_pair.c.other == second)
    elif labels:
        query = query.where(or_(run_pair.c.label == labels[0], run_pair.c.other == labels[0]))
    if episode_id is not None:
        query = query.where(runs.c.episode_id == episode_id)
    query = query.where(*season.conditions)
    return [
        SharedTime(
            label=row.label,
            other=row.other,
            seconds=row.seconds,
            times=int(row.times),
            episodes=row.episodes,
            episode=row.name if by_episode else None,
            episode_id=row.id if by_episode else None,
        )
        for row in connection.execute(query).all()
    ]


@reading_rows()
def known_labels(connection: Connection) -> tuple[str, ...]:
    """Return every label that a model version or a person can give, in alphabetical order."""
    listed = connection.execute(select(model_version.c.labels)).scalars()
    known = {label for labels in listed for label in json.loads(labels)}
    return tuple(sorted(known | labels_said(connection)))


@reading_rows()
def labels_of_model(connection: Connection, sha256: str) -> tuple[str, ...]:
    """Return the labels that the registered model version with this SHA-256 can give."""
    listed = select(model_version.c.labels).where(model_version.c.sha256 == sha256)
    return tuple(json.loads(connection.execute(listed).scalar_one()))


@reading_rows()
def written_names(connection: Connection) -> dict[str, str]:
    """Return the display names of labels; of several, that of the newest model version."""
    listed = connection.execute(
        select(model_version.c.names).order_by(model_version.c.created_at, model_version.c.id)
    ).scalars()
    return {label: name for names in listed for label, name in dict(json.loads(names)).items()}


# Episodes without a season in their names come together, before all others on both databases.
_SERIES = func.coalesce(episode.c.series, "").label("series")
_SEASON = func.coalesce(episode.c.season, -1).label("season")


def _of_episode(connection: Connection, episode_id: int, selection: RunSelection) -> RunSelection:
    """Restrict a selection to the one run of an episode, if there is one."""
    runs = selected_runs(selection)
    query = select(runs.c.run_id).where(runs.c.episode_id == episode_id)
    run_id = connection.execute(query).scalar_one_or_none()
    if run_id is None:
        return selection
    return replace(selection, run_id=run_id, model_sha256=None)


def _appearances(runs: Subquery, appearance: FromClause) -> Select[Any]:
    return (
        select(episode.c.name.label("episode"), appearance)
        .select_from(runs)
        .join(appearance, appearance.c.run_id == runs.c.run_id)
        .join(episode, episode.c.id == runs.c.episode_id)
    )


def _found(connection: Connection, query: Select[Any], places: bool) -> list[EpisodeAppearance]:
    return [
        EpisodeAppearance(
            row.episode,
            row.episode_id,
            row.run_id,
            appearance_record(row),
            place_record(row) if places else None,
        )
        for row in connection.execute(query).all()
    ]
