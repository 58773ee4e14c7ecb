"""Stored corrections, with the names and times of their episodes."""

from collections.abc import Iterable, Sequence

from castline.corrections.values import Correction
from castline.tables import Table, columns_of
from db.engine import Transaction
from db.library.corrections import by_content, list_corrections
from db.library.episodes import corrected_episodes
from db.records import CorrectionRecord, EpisodeRecord
from timeline.appearances.corrections import not_undone
from worker.steps.correcting import correction_of

COLUMNS = columns_of(Correction)


def shown_corrections(
    connection: Transaction, episode: EpisodeRecord | None = None
) -> list[Correction]:
    """Return corrections of an episode or of all contents, in order of creation."""
    records = list_corrections(connection, [episode.sha256] if episode else None)
    episodes = {episode.sha256: episode} if episode else corrected_episodes(connection)
    counting = counting_keys(records)
    return [
        shown(record, episodes.get(record.sha256), record.key in counting) for record in records
    ]


def counting_keys(records: Sequence[CorrectionRecord]) -> set[str]:
    """Return the keys of corrections that were not undone."""
    return {
        one.key
        for _, own in by_content(records)
        for one in not_undone([correction_of(record) for record in own])
    }


def shown(record: CorrectionRecord, episode: EpisodeRecord | None, stands: bool) -> Correction:
    """Return the public value of a correction."""
    part_start_pts, part_end_pts = record.part or (None, None)
    return Correction(
        key=record.key,
        episode=episode.name if episode else None,
        sha256=record.sha256,
        verdict=record.verdict,
        label=record.label,
        other=record.other,
        start_seconds=_seconds(episode, record.start_pts),
        end_seconds=_seconds(episode, record.end_pts),
        start_pts=record.start_pts,
        end_pts=record.end_pts,
        part_start_seconds=_seconds(episode, part_start_pts),
        part_end_seconds=_seconds(episode, part_end_pts),
        part_start_pts=part_start_pts,
        part_end_pts=part_end_pts,
        author=record.author,
        reason=record.reason,
        model=record.model,
        confidence=record.confidence,
        made_at=record.made_at,
        supersedes=record.supersedes,
        stands=stands,
    )


def _seconds(episode: EpisodeRecord | None, pts: int | None) -> float | None:
    """Return a time in seconds from an episode's first frame; None where it is unknown."""
    if episode is None or pts is None:
        return None
    return float((pts - episode.start_pts) * episode.time_base)


def table_of(rows: Iterable[Correction], has_more: bool = False) -> Table[Correction]:
    """Return corrections as a table."""
    return Table(tuple(rows), COLUMNS, has_more)
