"""What is read: episodes, runs, chunks, tags, appearances.

Queries for people go through `current_run`, so they see all of one run or all of another.
"""

import json
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from fractions import Fraction
from typing import Any

from sqlalchemy import Connection, Row, Select, case, func, or_, select

from db.errors import NotFoundError
from db.queue import OPEN_RUN_STATES
from db.records import (
    AppearanceRecord,
    Claim,
    EpisodeRecord,
    ExtractedChunk,
    Ranges,
    RunRecord,
    TagRecord,
    load_ranges,
)
from db.schema import appearance, chunk, current_run, episode, model_version, run, tag


@dataclass(frozen=True)
class EpisodeSummary:
    """An episode as a list shows it."""

    id: int
    name: str
    sha256: str
    uri: str
    duration_seconds: float
    width: int
    height: int
    frame_rate: Fraction
    added_at: datetime
    model: str | None
    """NAME@VERSION of its current run; None before the first run ended."""
    labels: int
    """How many labels appear in its current run."""


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


@dataclass(frozen=True)
class RunProgress:
    """How far a run is."""

    run_id: int
    episode: str
    state: str
    params: str
    duration_seconds: float
    extracted_seconds: float
    """How much of the episode was extracted, tagged or given up."""
    chunks_total: int
    chunks_done: int


@dataclass(frozen=True)
class QuarantinedChunk:
    """A chunk that was given up, and why."""

    run_id: int
    start_seconds: float
    end_seconds: float
    attempts: int
    error: str


def list_episodes(connection: Connection) -> list[EpisodeSummary]:
    """All episodes, by name."""
    shown = (
        select(current_run.c.episode_id, func.count(appearance.c.label.distinct()).label("labels"))
        .join(appearance, appearance.c.run_id == current_run.c.run_id)
        .group_by(current_run.c.episode_id)
        .subquery()
    )
    rows = connection.execute(
        select(
            episode,
            model_version.c.name.label("model_name"),
            model_version.c.version,
            func.coalesce(shown.c.labels, 0).label("labels"),
        )
        .outerjoin(current_run, current_run.c.episode_id == episode.c.id)
        .outerjoin(run, run.c.id == current_run.c.run_id)
        .outerjoin(model_version, model_version.c.id == run.c.model_version_id)
        .outerjoin(shown, shown.c.episode_id == episode.c.id)
        .order_by(episode.c.name, episode.c.id)
    )
    return [
        EpisodeSummary(
            id=row.id,
            name=row.name,
            sha256=row.sha256,
            uri=row.uri,
            duration_seconds=row.duration_seconds,
            width=row.width,
            height=row.height,
            frame_rate=Fraction(row.frame_rate_num, row.frame_rate_den),
            added_at=row.added_at,
            model=f"{row.model_name}@{row.version}" if row.model_name else None,
            labels=row.labels,
        )
        for row in rows
    ]


def get_episode(connection: Connection, episode_id: int) -> EpisodeRecord:
    """The episode with this id, which exists."""
    return _episode(connection.execute(select(episode).where(episode.c.id == episode_id)).one())


def get_episode_by_sha256(connection: Connection, sha256: str) -> EpisodeRecord | None:
    """The episode with this content, None if it was never added."""
    row = connection.execute(select(episode).where(episode.c.sha256 == sha256)).one_or_none()
    return None if row is None else _episode(row)


def find_episodes(connection: Connection, reference: str) -> list[EpisodeRecord]:
    """The episodes that a person may mean: the exact ones, else those that fit in part.

    Args:
        connection: An open connection.
        reference: A name, a path, the start of a SHA-256 (6 digits or more), or a part of a name
            or, if none fits, of a path.
    """
    exact = or_(episode.c.name == reference, episode.c.uri == reference)
    part_of_name = episode.c.name.icontains(reference, autoescape=True)
    if len(reference) >= 6:
        part_of_name |= episode.c.sha256.startswith(reference.lower(), autoescape=True)
    part_of_path = episode.c.uri.icontains(reference, autoescape=True)
    for fits in (exact, part_of_name, part_of_path):
        query = select(episode).where(fits).order_by(episode.c.name, episode.c.id)
        rows = connection.execute(query).all()
        if rows:
            return [_episode(row) for row in rows]
    return []


def list_runs(connection: Connection, run_ids: Sequence[int] | None = None) -> list[RunRecord]:
    """Runs, oldest first; of all episodes, or only those asked for."""
    query = _runs().order_by(run.c.id)
    if run_ids is not None:
        query = query.where(run.c.id.in_(run_ids))
    return [_run(row) for row in connection.execute(query)]


def get_run(connection: Connection, run_id: int) -> RunRecord:
    """One run.

    Raises:
        NotFoundError: There is no such run.
    """
    found = list_runs(connection, [run_id])
    if not found:
        raise NotFoundError(f"run {run_id}: there is no such run; castline status lists them")
    return found[0]


def run_progress(connection: Connection, run_ids: Sequence[int] | None = None) -> list[RunProgress]:
    """How far runs are: of these runs, or of all that are open."""
    passed = func.sum(
        case((chunk.c.state != "queued", chunk.c.end_pts - chunk.c.start_pts), else_=0)
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
            state=row.state,
            params=row.params,
            duration_seconds=row.duration_seconds,
            extracted_seconds=float(int(row.extracted_pts) * _time_base(row)),
            chunks_total=row.chunks_total,
            chunks_done=row.chunks_done,
        )
        for row in rows
    ]


def current_run_of(connection: Connection, episode_id: int) -> RunRecord | None:
    """The run of an episode that queries see; None before the first run ended."""
    row = connection.execute(_runs().where(current_run.c.episode_id == episode_id)).one_or_none()
    return None if row is None else _run(row)


def latest_run_of(connection: Connection, episode_id: int) -> RunRecord | None:
    """The run of an episode that was enqueued last; None if there is none."""
    row = connection.execute(
        _runs().where(run.c.episode_id == episode_id).order_by(run.c.id.desc()).limit(1)
    ).one_or_none()
    return None if row is None else _run(row)


def extracted_chunk(connection: Connection, claim: Claim) -> ExtractedChunk:
    """What the extraction of a claimed chunk said."""
    row = connection.execute(select(chunk).where(chunk.c.id == claim.chunk_id)).one()
    return _extracted(row)


def ended_chunks(
    connection: Connection, run_id: int
) -> tuple[list[ExtractedChunk], list[tuple[int, int, str]]]:
    """A run's tagged chunks, and (start_pts, end_pts, error) of its quarantined ones."""
    rows = connection.execute(
        select(chunk).where(chunk.c.run_id == run_id).order_by(chunk.c.start_pts)
    ).all()
    tagged = [_extracted(row) for row in rows if row.state == "tagged"]
    quarantined = [
        (row.start_pts, row.end_pts, row.error) for row in rows if row.state == "quarantined"
    ]
    return tagged, quarantined


def quarantined_chunks(connection: Connection, run_id: int) -> list[QuarantinedChunk]:
    """The chunks of a run that were given up, in the order of time."""
    rows = connection.execute(
        select(chunk, episode.c.start_pts.label("origin"), episode.c.time_base_num, _TIME_BASE_DEN)
        .join(run, run.c.id == chunk.c.run_id)
        .join(episode, episode.c.id == run.c.episode_id)
        .where(chunk.c.run_id == run_id, chunk.c.state == "quarantined")
        .order_by(chunk.c.start_pts)
    )
    return [
        QuarantinedChunk(
            run_id=run_id,
            start_seconds=float((row.start_pts - row.origin) * _time_base(row)),
            end_seconds=float((row.end_pts - row.origin) * _time_base(row)),
            attempts=row.attempts,
            error=row.error or "",
        )
        for row in rows
    ]


def run_tags(connection: Connection, run_id: int) -> list[TagRecord]:
    """All tags of a run, by pts and label."""
    rows = connection.execute(
        select(tag).where(tag.c.run_id == run_id).order_by(tag.c.pts, tag.c.label)
    )
    return [TagRecord(row.pts, row.label, row.region, row.confidence, row.seconds) for row in rows]


def find_appearances(
    connection: Connection,
    *,
    episode_id: int | None = None,
    label: str | None = None,
    at_seconds: float | None = None,
    min_seconds: float = 0.0,
) -> list[EpisodeAppearance]:
    """Appearances of current runs, by episode and time.

    Args:
        connection: An open connection.
        episode_id: Only in this episode.
        label: Only of this label.
        at_seconds: Only those on screen at this time: start <= at < end.
        min_seconds: Only those that last at least this long.
    """
    query = (
        select(episode.c.name.label("episode"), appearance)
        .select_from(current_run)
        .join(appearance, appearance.c.run_id == current_run.c.run_id)
        .join(episode, episode.c.id == current_run.c.episode_id)
        .order_by(episode.c.name, episode.c.id, appearance.c.start_pts, appearance.c.label)
    )
    if episode_id is not None:
        query = query.where(current_run.c.episode_id == episode_id)
    if label is not None:
        query = query.where(appearance.c.label == label)
    if at_seconds is not None:
        query = query.where(
            appearance.c.start_seconds <= at_seconds, appearance.c.end_seconds > at_seconds
        )
    if min_seconds > 0:
        query = query.where(appearance.c.end_seconds - appearance.c.start_seconds >= min_seconds)
    return [
        EpisodeAppearance(
            row.episode,
            AppearanceRecord(
                label=row.label,
                start_pts=row.start_pts,
                end_pts=row.end_pts,
                start_seconds=row.start_seconds,
                end_seconds=row.end_seconds,
                frames=row.frames,
                mean_confidence=row.mean_confidence,
                max_confidence=row.max_confidence,
            ),
        )
        for row in connection.execute(query)
    ]


def screen_time(connection: Connection, episode_id: int | None = None) -> list[ScreenTime]:
    """Seconds on screen per label over the current runs, most first."""
    seconds = func.sum(appearance.c.end_seconds - appearance.c.start_seconds)
    query = (
        select(
            appearance.c.label,
            seconds.label("seconds"),
            func.count().label("appearances"),
            func.count(current_run.c.episode_id.distinct()).label("episodes"),
        )
        .select_from(current_run)
        .join(appearance, appearance.c.run_id == current_run.c.run_id)
        .group_by(appearance.c.label)
        .order_by(seconds.desc(), appearance.c.label)
    )
    if episode_id is not None:
        query = query.where(current_run.c.episode_id == episode_id)
    return [
        ScreenTime(row.label, row.seconds, row.appearances, row.episodes)
        for row in connection.execute(query)
    ]


def known_labels(connection: Connection) -> tuple[str, ...]:
    """Every label that a registered model version can give, in alphabetical order."""
    listed = connection.execute(select(model_version.c.labels)).scalars()
    return tuple(sorted({label for labels in listed for label in json.loads(labels)}))


_TIME_BASE_DEN = episode.c.time_base_den


def _time_base(row: Row[Any]) -> Fraction:
    return Fraction(row.time_base_num, row.time_base_den)


def _runs() -> Select[Any]:
    return (
        select(
            run,
            episode.c.name.label("episode"),
            episode.c.time_base_num,
            episode.c.time_base_den,
            episode.c.start_pts,
            episode.c.duration_seconds,
            model_version.c.name.label("model_name"),
            model_version.c.version,
            model_version.c.sha256.label("model_sha256"),
            current_run.c.run_id.label("current"),
        )
        .join(episode, episode.c.id == run.c.episode_id)
        .join(model_version, model_version.c.id == run.c.model_version_id)
        .outerjoin(current_run, current_run.c.run_id == run.c.id)
    )


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
        start_pts=row.start_pts,
        duration_seconds=row.duration_seconds,
        queued_at=row.queued_at,
        started_at=row.started_at,
        ended_at=row.ended_at,
        is_current=row.current is not None,
    )


def _episode(row: Row[Any]) -> EpisodeRecord:
    return EpisodeRecord(
        sha256=row.sha256,
        name=row.name,
        uri=row.uri,
        size_bytes=row.size_bytes,
        container=row.container,
        codec=row.codec,
        pixel_format=row.pixel_format,
        width=row.width,
        height=row.height,
        rotation=row.rotation,
        sample_aspect_ratio=Fraction(row.sample_aspect_num, row.sample_aspect_den),
        lag_pts=row.lag_pts,
        frame_rate=Fraction(row.frame_rate_num, row.frame_rate_den),
        rate_varies=row.rate_varies,
        time_base=_time_base(row),
        start_pts=row.start_pts,
        end_pts=row.end_pts,
        area=(row.area_x, row.area_y, row.area_width, row.area_height),
        key_pts=tuple(json.loads(row.key_pts)),
        missing=load_ranges(row.missing),
        id=row.id,
    )


def _extracted(row: Row[Any]) -> ExtractedChunk:
    missing: Ranges = load_ranges(row.missing)
    return ExtractedChunk(
        sampled_pts=tuple(json.loads(row.sampled_pts or "[]")),
        frames_decoded=row.frames_decoded,
        decode_errors=row.decode_errors,
        missing=missing,
    )
