"""The questions of people: appearances, screen time, labels.

All go through `shown_runs`, so they see all of one run or all of another.
"""

import json
from dataclasses import dataclass

from sqlalchemy import Connection, func, select

from db.current import CURRENT, Shown, shown_runs
from db.records import AppearanceRecord
from db.runs import appearance_record
from db.schema import appearance, episode, model_version


@dataclass(frozen=True)
class EpisodeAppearance:
    """An appearance with the name of its episode."""

    episode: str
    appearance: AppearanceRecord


@dataclass(frozen=True)
class ScreenTime:
    """How long a label is on screen."""

    label: str
    seconds: float
    appearances: int
    episodes: int


def find_appearances(
    connection: Connection,
    *,
    episode_id: int | None = None,
    label: str | None = None,
    at_seconds: float | None = None,
    min_seconds: float = 0.0,
    shown: Shown = CURRENT,
) -> list[EpisodeAppearance]:
    """Appearances of the shown runs, by episode and time.

    Args:
        connection: An open connection.
        episode_id: Only in this episode.
        label: Only of this label.
        at_seconds: Only those on screen at this time: start <= at < end.
        min_seconds: Only those that last at least this long.
        shown: Which runs; the current ones by default.
    """
    runs = shown_runs(shown)
    query = (
        select(episode.c.name.label("episode"), appearance)
        .select_from(runs)
        .join(appearance, appearance.c.run_id == runs.c.run_id)
        .join(episode, episode.c.id == runs.c.episode_id)
        .order_by(episode.c.name, episode.c.id, appearance.c.start_pts, appearance.c.label)
    )
    if episode_id is not None:
        query = query.where(runs.c.episode_id == episode_id)
    if label is not None:
        query = query.where(appearance.c.label == label)
    if at_seconds is not None:
        query = query.where(
            appearance.c.start_seconds <= at_seconds, appearance.c.end_seconds > at_seconds
        )
    if min_seconds > 0:
        query = query.where(appearance.c.end_seconds - appearance.c.start_seconds >= min_seconds)
    return [
        EpisodeAppearance(row.episode, appearance_record(row)) for row in connection.execute(query)
    ]


def screen_time(
    connection: Connection, episode_id: int | None = None, shown: Shown = CURRENT
) -> list[ScreenTime]:
    """Seconds on screen per label over the shown runs, most first."""
    runs = shown_runs(shown)
    seconds = func.sum(appearance.c.end_seconds - appearance.c.start_seconds)
    query = (
        select(
            appearance.c.label,
            seconds.label("seconds"),
            func.count().label("appearances"),
            func.count(runs.c.episode_id.distinct()).label("episodes"),
        )
        .select_from(runs)
        .join(appearance, appearance.c.run_id == runs.c.run_id)
        .group_by(appearance.c.label)
        .order_by(seconds.desc(), appearance.c.label)
    )
    if episode_id is not None:
        query = query.where(runs.c.episode_id == episode_id)
    return [
        ScreenTime(row.label, row.seconds, row.appearances, row.episodes)
        for row in connection.execute(query)
    ]


def known_labels(connection: Connection) -> tuple[str, ...]:
    """Every label that a registered model version can give, in alphabetical order."""
    listed = connection.execute(select(model_version.c.labels)).scalars()
    return tuple(sorted({label for labels in listed for label in json.loads(labels)}))
