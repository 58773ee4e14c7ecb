"""Read runs and their chunks: progress, results and errors."""

import json
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass, fields
from fractions import Fraction
from typing import Any, NamedTuple

from sqlalchemy import Column, Connection, Row, Select, Table, case, func, select

from db.errors import NotFoundError
from db.failures import reading_rows
from db.library.current import CURRENT, RunSelection, selected_runs
from db.library.places import tag_record
from db.records import AppearanceRecord, ExtractedChunk, RunRecord, TagRecord
from db.schema import (
    appearance,
    chunk,
    corrected_run,
    current_run,
    episode,
    model_version,
    raw_appearance,
    run,
    tag,
)
from db.states import OPEN_RUN_STATES, ChunkState, RunState
from exact.place import Place
from exact.ranges import PtsRange, load_ranges


@dataclass(frozen=True)
class RunProgress:
    """The progress of a run."""

    run_id: int
    episode: str
    episode_id: int
    state: RunState
    params: str
    duration_seconds: float
    """Of what it examines."""
    frame_rate: Fraction
    extracted_seconds: float
    """Seconds of that which were extracted, tagged or given up."""
    chunks_total: int
    chunks_done: int


@dataclass(frozen=True)
class QuarantinedChunk:
    """A chunk that was given up (a dead letter), and why."""

    run_id: int
    start_seconds: float
    end_seconds: float
    attempts: int
    error: str


@reading_rows()
def list_runs(connection: Connection, run_ids: Sequence[int] | None = None) -> list[RunRecord]:
    """Return runs, oldest first: all of them, or the requested ones."""
    query = _runs().order_by(run.c.id)
    rows = _with_any(connection, query, run.c.id, run_ids)
    return [_run(row) for row in rows]


def get_run(connection: Connection, run_id: int) -> RunRecord:
    """Return one run.

    Raises:
        NotFoundError: There is no such run.
    """
    found = list_runs(connection, [run_id])
    if not found:
        raise NotFoundError(f"run {run_id}: there is no such run; castline status lists them")
    return found[0]


@reading_rows()
def run_progress(connection: Connection, run_ids: Sequence[int] | None = None) -> list[RunProgress]:
    """Return the progress of these runs, or of all open ones."""
    passed = func.sum(
        case((chunk.c.state != ChunkState.QUEUED, chunk.c.end_pts - chunk.c.start_pts), else_=0)
    )
    wanted = run.c.state.in_(OPEN_RUN_STATES) if run_ids is None else run.c.id.in_(run_ids)
    extracted = (
        select(chunk.c.run_id, passed.label("pts"))
        .join(run, run.c.id == chunk.c.run_id)
        .where(wanted)
        .group_by(chunk.c.run_id)
        .subquery()
    )
    rows = connection.execute(
        select(run, episode, extracted.c.pts.label("extracted_pts"), run.c.id.label("run_id"))
        .join(extracted, extracted.c.run_id == run.c.id)
        .join(episode, episode.c.id == run.c.episode_id)
        .order_by(run.c.id)
    )
    return [
        RunProgress(
            run_id=row.run_id,
            episode=row.name,
            episode_id=row.episode_id,
            state=row.state,
            params=row.params,
            duration_seconds=_length(row),
            frame_rate=Fraction(row.frame_rate_num, row.frame_rate_den),
            extracted_seconds=float(int(row.extracted_pts) * _time_base(row)),
            chunks_total=row.chunks_total,
            chunks_done=row.chunks_done,
        )
        for row in rows
    ]


def _length(row: Row[Any]) -> float:
    part = part_of(row.part_start_pts, row.part_end_pts)
    return float((part[1] - part[0]) * _time_base(row)) if part else row.duration_seconds


def current_run_of(connection: Connection, episode_id: int) -> RunRecord | None:
    """Return the current run of an episode; None before the first run ended."""
    return selected_run_of(connection, episode_id, CURRENT)


@reading_rows()
def current_runs(
    connection: Connection, episode_ids: Sequence[int] | None = None
) -> dict[int, RunRecord]:
    """Return the current runs by episode id: of all episodes, or of the given ones."""
    query = _runs().where(current_run.c.run_id.is_not(None))
    rows = _with_any(connection, query, run.c.episode_id, episode_ids)
    return {row.episode_id: _run(row) for row in rows}


@reading_rows()
def selected_run_of(
    connection: Connection, episode_id: int, selection: RunSelection
) -> RunRecord | None:
    """Return the run of an episode to which a question refers; None if there is none."""
    runs = selected_runs(selection)
    row = connection.execute(
        _runs().join(runs, runs.c.run_id == run.c.id).where(run.c.episode_id == episode_id)
    ).one_or_none()
    return None if row is None else _run(row)


def latest_run_of(connection: Connection, episode_id: int) -> RunRecord | None:
    """Return the run of an episode that was enqueued last; None if there is none."""
    row = connection.execute(
        _runs().where(run.c.episode_id == episode_id).order_by(run.c.id.desc()).limit(1)
    ).one_or_none()
    return None if row is None else _run(row)


def ended_chunks(
    connection: Connection, run_id: int
) -> tuple[list[ExtractedChunk], list[tuple[int, int, str]]]:
    """Return a run's tagged chunks, and (start_pts, end_pts, error) of its quarantined ones."""
    rows = connection.execute(
        select(chunk).where(chunk.c.run_id == run_id).order_by(chunk.c.start_pts)
    ).all()
    tagged = [extracted_record(row) for row in rows if row.state is ChunkState.TAGGED]
    quarantined = [
        (row.start_pts, row.end_pts, row.error)
        for row in rows
        if row.state is ChunkState.QUARANTINED
    ]
    return tagged, quarantined


def quarantined_chunks(
    connection: Connection, run_ids: Sequence[int] | None = None
) -> list[QuarantinedChunk]:
    """Return the quarantined chunks of all runs or of the requested ones, in order of time."""
    query = (
        select(
            chunk,
            episode.c.start_pts.label("origin"),
            episode.c.time_base_num,
            episode.c.time_base_den,
        )
        .join(run, run.c.id == chunk.c.run_id)
        .join(episode, episode.c.id == run.c.episode_id)
        .where(chunk.c.state == ChunkState.QUARANTINED)
        .order_by(chunk.c.run_id, chunk.c.start_pts)
    )
    if run_ids is not None:
        query = query.where(chunk.c.run_id.in_(run_ids))
    return [
        QuarantinedChunk(
            run_id=row.run_id,
            start_seconds=float((row.start_pts - row.origin) * _time_base(row)),
            end_seconds=float((row.end_pts - row.origin) * _time_base(row)),
            attempts=row.attempts,
            error=row.error or "",
        )
        for row in connection.execute(query)
    ]


@reading_rows()
def run_tags(connection: Connection, run_id: int) -> list[TagRecord]:
    """Return all tags of a run, by pts and label."""
    rows = connection.execute(
        select(tag).where(tag.c.run_id == run_id).order_by(tag.c.pts, tag.c.label)
    )
    return [tag_record(row) for row in rows]


class SeenLabel(NamedTuple):
    """A tag as far as appearances are derived from it."""

    pts: int
    label: str
    confidence: float
    place: Place | None


def seen_labels(connection: Connection, run_id: int) -> list[SeenLabel]:
    """All tags of a run, by pts and label, in a third of the time that `run_tags` takes."""
    seen = select(
        *(tag.c.pts, tag.c.label, tag.c.confidence),
        *(tag.c.place_x, tag.c.place_y, tag.c.place_width, tag.c.place_height),
    )
    rows = connection.execute(
        seen.where(tag.c.run_id == run_id).order_by(tag.c.pts, tag.c.label)
    ).all()
    return [
        SeenLabel(pts, label, confidence, None if x is None else Place(x, y, width, height))
        for pts, label, confidence, x, y, width, height in rows
    ]


def run_appearances(connection: Connection, run_id: int) -> list[AppearanceRecord]:
    """Return a run's own appearances, even if it is not current, by time and label."""
    return _appearances_of(connection, appearance, run_id)


def raw_appearances(connection: Connection, run_id: int) -> list[AppearanceRecord]:
    """Return a run's raw appearances, by time and label."""
    is_corrected = select(corrected_run.c.run_id).where(corrected_run.c.run_id == run_id)
    table = appearance if connection.execute(is_corrected).first() is None else raw_appearance
    return _appearances_of(connection, table, run_id)


def _appearances_of(connection: Connection, table: Table, run_id: int) -> list[AppearanceRecord]:
    own = select(*(table.c[field.name] for field in _FIELDS)).where(table.c.run_id == run_id)
    rows = connection.execute(own.order_by(table.c.start_pts, table.c.label)).all()
    return [AppearanceRecord(*row) for row in rows]


def appearance_record(row: Row[Any]) -> AppearanceRecord:
    """Return an appearance from a row with its columns."""
    return AppearanceRecord(**{field.name: getattr(row, field.name) for field in _FIELDS})


_FIELDS = fields(AppearanceRecord)


def part_of(start_pts: int | None, end_pts: int | None) -> PtsRange | None:
    """The part that a run examines, from its columns."""
    return None if start_pts is None or end_pts is None else (start_pts, end_pts)


def _time_base(row: Row[Any]) -> Fraction:
    return Fraction(row.time_base_num, row.time_base_den)


_CLAIMED = (
    select(func.count())
    .select_from(chunk)
    .where(chunk.c.run_id == run.c.id, chunk.c.worker.is_not(None))
    .correlate(run)
    .scalar_subquery()
)

_DECODED = (
    select(func.coalesce(func.sum(chunk.c.frames_decoded), 0))
    .where(chunk.c.run_id == run.c.id, chunk.c.is_reused.is_(False))
    .correlate(run)
    .scalar_subquery()
)


def _runs() -> Select[Any]:
    return (
        select(
            run,
            episode.c.name.label("episode"),
            episode.c.time_base_num,
            episode.c.time_base_den,
            episode.c.start_pts,
            episode.c.end_pts,
            episode.c.duration_seconds,
            model_version.c.name.label("model_name"),
            model_version.c.version,
            model_version.c.sha256.label("model_sha256"),
            current_run.c.run_id.label("current"),
            _CLAIMED.label("claimed"),
            _DECODED.label("frames_decoded"),
        )
        .join(episode, episode.c.id == run.c.episode_id)
        .join(model_version, model_version.c.id == run.c.model_version_id)
        .outerjoin(current_run, current_run.c.run_id == run.c.id)
    )


def _with_any(
    connection: Connection, query: Select[Any], column: Column[int], values: Iterable[int] | None
) -> Iterator[Row[Any]]:
    """Yield the rows with one of these values, in the order of the values; None for all rows."""
    if values is None:
        yield from connection.execute(query)
        return
    wanted = sorted(set(values))
    for start in range(0, len(wanted), _VALUES_AT_ONCE):
        part = wanted[start : start + _VALUES_AT_ONCE]
        yield from connection.execute(query.where(column.in_(part)))


_VALUES_AT_ONCE = 10_000
"""SQLite takes 32,766 in one statement, and a library may have more episodes."""


def _run(row: Row[Any]) -> RunRecord:
    return RunRecord(
        id=row.id,
        episode_id=row.episode_id,
        episode=row.episode,
        model=f"{row.model_name}@{row.version}",
        model_sha256=row.model_sha256,
        params=row.params,
        state=row.state,
        chunks_total=row.chunks_total,
        chunks_done=row.chunks_done,
        frames=row.frames,
        decode_errors=row.decode_errors,
        missing=load_ranges(row.missing),
        error=row.error,
        time_base=_time_base(row),
        part=part_of(row.part_start_pts, row.part_end_pts),
        start_pts=row.start_pts,
        end_pts=row.end_pts,
        duration_seconds=row.duration_seconds,
        queued_at=row.queued_at,
        started_at=row.started_at,
        ended_at=row.ended_at,
        is_current=row.current is not None,
        claimed=row.claimed,
        frames_decoded=int(row.frames_decoded),
    )


@reading_rows()
def extracted_record(row: Row[*tuple[Any, ...]]) -> ExtractedChunk:
    """Return the result of a chunk's extraction from a row with its columns."""
    return ExtractedChunk(
        sampled_pts=tuple(json.loads(row.sampled_pts or "[]")),
        frames_decoded=row.frames_decoded,
        decode_errors=row.decode_errors,
        missing=load_ranges(row.missing),
        cuts=row.cuts,
    )
