"""Write the timeline to a separate SQLite file, for Datasette and other tools."""

import sqlite3
from collections.abc import Iterable, Mapping
from contextlib import closing
from pathlib import Path
from typing import Any

from sqlalchemy import Connection, Select, Text, cast, func, select

from db.errors import DatabaseError
from db.schema import appearance, current_run, episode, model_version, run

SCHEMA = """
CREATE TABLE episode (
    id INTEGER PRIMARY KEY,
    name TEXT NOT NULL,
    series TEXT,
    season INTEGER,
    number INTEGER,
    title TEXT,
    sha256 TEXT NOT NULL UNIQUE,
    duration_seconds REAL NOT NULL,
    width INTEGER NOT NULL,
    height INTEGER NOT NULL,
    frame_rate TEXT NOT NULL,
    time_base TEXT NOT NULL,
    start_pts INTEGER NOT NULL,
    end_pts INTEGER NOT NULL,
    examined_start_pts INTEGER NOT NULL,
    examined_end_pts INTEGER NOT NULL,
    missing_pts TEXT NOT NULL,
    model TEXT NOT NULL,
    model_sha256 TEXT NOT NULL
);
CREATE TABLE appearance (
    episode_id INTEGER NOT NULL REFERENCES episode (id),
    label TEXT NOT NULL,
    start_seconds REAL NOT NULL,
    end_seconds REAL NOT NULL,
    start_pts INTEGER NOT NULL,
    end_pts INTEGER NOT NULL,
    frames INTEGER NOT NULL,
    mean_confidence REAL NOT NULL,
    max_confidence REAL NOT NULL,
    PRIMARY KEY (episode_id, label, start_pts)
);
CREATE TABLE character (
    label TEXT PRIMARY KEY,
    name TEXT NOT NULL
);
CREATE VIEW timeline AS
SELECT episode.name AS episode, label, start_seconds, end_seconds,
       mean_confidence AS confidence, model, episode_id, series, season, number, title
FROM appearance JOIN episode ON episode.id = appearance.episode_id
"""
"""The view has the columns of the one in Castline's own database."""

INDEXES = """
CREATE INDEX appearance_label ON appearance (label, episode_id);
CREATE INDEX episode_name ON episode (name)
"""
"""Created when all rows are written, which is faster."""

ROWS_AT_ONCE = 10_000


def write_snapshot(connection: Connection, path: Path, names: Mapping[str, str]) -> None:
    """Write the timeline of the current runs into an empty or absent file.

    Args:
        connection: An open transaction, which sees one state throughout.
        path: The file.
        names: Display names of labels.

    Raises:
        DatabaseError: It cannot be written.
    """
    try:
        with closing(sqlite3.connect(path, isolation_level=None)) as written:
            # No journal: an unfinished file is thrown away.
            written.execute("PRAGMA journal_mode=OFF")
            written.execute("PRAGMA synchronous=OFF")
            written.execute("BEGIN")
            for statement in SCHEMA.split(";"):
                written.execute(statement)
            _insert(written, "episode", _rows(connection, _EPISODES))
            _insert(written, "appearance", _rows(connection, _APPEARANCES))
            _insert(written, "character", sorted(names.items()))
            for statement in INDEXES.split(";"):
                written.execute(statement)
            written.execute("COMMIT")
            written.execute("ANALYZE")
    except sqlite3.Error as error:
        raise DatabaseError(
            f"{path}: cannot be written ({error}); choose a folder that has space"
        ) from error


def _insert(written: sqlite3.Connection, table: str, rows: Iterable[tuple[Any, ...]]) -> None:
    places = ", ".join("?" * len(written.execute(f"PRAGMA table_info({table})").fetchall()))
    written.executemany(f"INSERT INTO {table} VALUES ({places})", rows)  # noqa: S608 - our names


def _rows(connection: Connection, query: Select[Any]) -> Iterable[tuple[Any, ...]]:
    for some in connection.execute(query).partitions(ROWS_AT_ONCE):
        yield from map(tuple, some)


_EPISODES = (
    select(
        episode.c.id,
        episode.c.name,
        episode.c.series,
        episode.c.season,
        episode.c.number,
        episode.c.title,
        episode.c.sha256,
        episode.c.duration_seconds,
        episode.c.width,
        episode.c.height,
        cast(episode.c.frame_rate_num, Text) + "/" + cast(episode.c.frame_rate_den, Text),
        cast(episode.c.time_base_num, Text) + "/" + cast(episode.c.time_base_den, Text),
        episode.c.start_pts,
        episode.c.end_pts,
        func.coalesce(run.c.part_start_pts, episode.c.start_pts),
        func.coalesce(run.c.part_end_pts, episode.c.end_pts),
        run.c.missing,
        model_version.c.name + "@" + model_version.c.version,
        model_version.c.sha256,
    )
    .join(current_run, current_run.c.episode_id == episode.c.id)
    .join(run, run.c.id == current_run.c.run_id)
    .join(model_version, model_version.c.id == run.c.model_version_id)
    .order_by(episode.c.id)
)

_APPEARANCES = (
    select(
        current_run.c.episode_id,
        appearance.c.label,
        appearance.c.start_seconds,
        appearance.c.end_seconds,
        appearance.c.start_pts,
        appearance.c.end_pts,
        appearance.c.frames,
        appearance.c.mean_confidence,
        appearance.c.max_confidence,
    )
    .join(appearance, appearance.c.run_id == current_run.c.run_id)
    .order_by(current_run.c.episode_id, appearance.c.label, appearance.c.start_pts)
)
