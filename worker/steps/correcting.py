"""Apply corrections of an episode to the results of its runs.

This is done once, when a correction is made or a run ends, so that questions only read rows.
"""

from collections.abc import Sequence

from db.changes.corrections import CorrectedRows, forget_raw, write_appearances
from db.changes.showing import lock_episode
from db.engine import Transaction
from db.library.corrections import confidences_of, list_corrections, runs_to_correct
from db.library.episodes import corrected_episodes
from db.library.runs import ended_chunks, list_runs, raw_appearances
from db.records import AppearanceRecord, CorrectionRecord, EpisodeRecord
from timeline.appearances.corrections import (
    CorrectedAppearance,
    Correction,
    Sampled,
    corrected,
    settled,
    standing,
)


def correct_runs(connection: Transaction, episode: EpisodeRecord) -> None:
    """Apply the corrections of an episode to each of its runs that may be shown."""
    lock_episode(connection, episode.id)
    for run_id in runs_to_correct(connection, episode.id):
        _correct_run(connection, episode, run_id)


def correct_derived(connection: Transaction, run_ids: Sequence[int]) -> None:
    """Let corrections count in runs whose appearances were derived again; all is locked."""
    said = corrected_episodes(connection)
    episodes = {episode.id: episode for episode in said.values()}
    for run in list_runs(connection, run_ids):
        if run.episode_id in episodes:
            forget_raw(connection, [run.id])
            _correct_run(connection, episodes[run.episode_id], run.id)


def _correct_run(connection: Transaction, episode: EpisodeRecord, run_id: int) -> None:
    raw = raw_appearances(connection, run_id)
    rows = corrected_rows(connection, episode, run_id, raw)
    write_appearances(connection, run_id, episode.id, raw, rows)


def corrected_rows(
    connection: Transaction, episode: EpisodeRecord, run_id: int, raw: Sequence[AppearanceRecord]
) -> CorrectedRows | None:
    """Return a run's results with corrections applied; None where its episode has none.

    Args:
        connection: A transaction in which the episode is locked.
        episode: Episode of the run.
        run_id: The run.
        raw: Its raw appearances.
    """
    stand = standing([correction_of(one) for one in list_corrections(connection, episode.sha256)])
    if not stand:
        return None
    claims = settled(stand)
    tagged, _ = ended_chunks(connection, run_id)
    sampled = Sampled(
        sorted({pts for part in tagged for pts in part.sampled_pts}),
        confidences_of(connection, run_id, claims),
    )
    found = corrected([_appearance(one) for one in raw], claims, sampled)
    return CorrectedRows([_record(one, episode) for one in found], len(stand))


def correction_of(record: CorrectionRecord) -> Correction:
    """Return the correction of a record, as `timeline` takes it."""
    return Correction(
        record.key,
        record.verdict,
        record.label,
        record.start_pts,
        record.end_pts,
        record.other,
        record.part,
        record.supersedes,
    )


def _appearance(record: AppearanceRecord) -> CorrectedAppearance:
    return CorrectedAppearance(
        record.label,
        record.start_pts,
        record.end_pts,
        record.frames,
        record.mean_confidence,
        record.max_confidence,
        is_corrected=False,
    )


def _record(found: CorrectedAppearance, episode: EpisodeRecord) -> AppearanceRecord:
    return AppearanceRecord(
        label=found.label,
        start_pts=found.start_pts,
        end_pts=found.end_pts,
        start_seconds=float((found.start_pts - episode.start_pts) * episode.time_base),
        end_seconds=float((found.end_pts - episode.start_pts) * episode.time_base),
        frames=found.frames,
        mean_confidence=found.mean_confidence,
        max_confidence=found.max_confidence,
        is_corrected=found.is_corrected,
    )
