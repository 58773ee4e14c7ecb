"""Read episodes: by number, by content, and by the references that users give."""

from dataclasses import dataclass
from datetime import datetime
from fractions import Fraction

from sqlalchemy import Connection, func, or_, select

from db.failures import reading_rows
from db.library.episode_rows import episode_record
from db.records import EpisodeRecord
from db.schema import correction, current_run, episode, model_version, run, run_label


@dataclass(frozen=True)
class EpisodeSummary:
    """An episode in a list."""

    id: int
    name: str
    sha256: str
    uri: str
    size_bytes: int
    duration_seconds: float
    width: int
    height: int
    frame_rate: Fraction
    added_at: datetime
    model: str | None
    """NAME@VERSION of the current run's model; None before the first run ended."""
    labels: int
    """Number of labels that appear in its current run."""


@reading_rows()
def list_episodes(connection: Connection) -> list[EpisodeSummary]:
    """Return all episodes, by name."""
    shown = (
        select(current_run.c.episode_id, func.count().label("labels"))
        .join(run_label, run_label.c.run_id == current_run.c.run_id)
        .group_by(current_run.c.episode_id)
        .subquery()
    )
    # by position: lookups by name in each row of a large library take half as long again
    rows = connection.execute(
        select(
            episode.c.id,
            episode.c.name,
            episode.c.sha256,
            episode.c.uri,
            episode.c.size_bytes,
            episode.c.duration_seconds,
            episode.c.width,
            episode.c.height,
            episode.c.frame_rate_num,
            episode.c.frame_rate_den,
            episode.c.added_at,
            model_version.c.name,
            model_version.c.version,
            func.coalesce(shown.c.labels, 0),
        )
        .outerjoin(current_run, current_run.c.episode_id == episode.c.id)
        .outerjoin(run, run.c.id == current_run.c.run_id)
        .outerjoin(model_version, model_version.c.id == run.c.model_version_id)
        .outerjoin(shown, shown.c.episode_id == episode.c.id)
        .order_by(episode.c.name, episode.c.id)
    ).all()
    return [
        EpisodeSummary(
            id=number,
            name=name,
            sha256=sha256,
            uri=uri,
            size_bytes=size_bytes,
            duration_seconds=seconds,
            width=width,
            height=height,
            frame_rate=Fraction(rate_num, rate_den),
            added_at=added_at,
            model=f"{model}@{version}" if model else None,
            labels=labels,
        )
        for (
            number,
            name,
            sha256,
            uri,
            size_bytes,
            seconds,
            width,
            height,
            rate_num,
            rate_den,
            added_at,
            model,
            version,
            labels,
        ) in rows
    ]


def get_episode(connection: Connection, episode_id: int) -> EpisodeRecord:
    """Return the episode with this id, which exists."""
    return episode_record(
        connection.execute(select(episode).where(episode.c.id == episode_id)).one()
    )


def get_episode_by_sha256(connection: Connection, sha256: str) -> EpisodeRecord | None:
    """Return the episode with this content, None if it was never added."""
    row = connection.execute(select(episode).where(episode.c.sha256 == sha256)).one_or_none()
    return None if row is None else episode_record(row)


def corrected_episodes(connection: Connection) -> dict[str, EpisodeRecord]:
    """By content the episodes of which anybody said anything."""
    said = select(correction.c.sha256)
    rows = connection.execute(select(episode).where(episode.c.sha256.in_(said)))
    return {row.sha256: episode_record(row) for row in rows.all()}


def find_episodes(connection: Connection, reference: str) -> list[EpisodeRecord]:
    """Return the episodes that match a reference exactly, or else in part.

    Args:
        connection: An open connection.
        reference: A name, a path, the start of a SHA-256 (6 digits or more), or a part of a name
            or, if none matches, of a path.
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
            return [episode_record(row) for row in rows]
    return []
