"""Apply corrections of an episode to the results of its runs.

This is done once, when a correction is made or a run ends, so that questions only read rows.
"""

from collections import defaultdict
from collections.abc import Collection, Mapping, Sequence
from itertools import islice

from db.changes.appearances import FoundInRun
from db.changes.corrections import CorrectedRun, show_corrected, show_raw
from db.engine import Transaction
from db.library.corrections import (
    by_content,
    confidences_of,
    list_corrections,
    runs_to_correct,
)
from db.library.runs import ended_chunks, run_appearances
from db.records import AppearanceRecord, CorrectionRecord, EpisodeRecord
from timeline.appearances.corrections import (
    CorrectedAppearance,
    Correction,
    Sampled,
    corrected,
    settled,
    standing,
)

RUNS_AT_ONCE = 50
"""Their rows are in memory together."""


def correct_runs(connection: Transaction, episodes: Collection[EpisodeRecord]) -> None:
    """Apply the corrections of locked episodes to all of their runs that may be shown."""
    by_id = {episode.id: episode for episode in episodes}
    found = runs_to_correct(connection, by_id)
    show_raw(connection, found)
    apply_corrections(
        connection, {run_id: by_id[episode_id] for run_id, episode_id in found.items()}
    )


def apply_corrections(connection: Transaction, runs: Mapping[int, EpisodeRecord]) -> None:
    """Apply corrections to runs that show raw results.

    Args:
        connection: A write transaction in which the episodes are locked.
        runs: The runs' numbers, with their episodes.
    """
    records = list_corrections(connection, {episode.sha256 for episode in runs.values()})
    stand: dict[str, list[Correction]] = defaultdict(list)
    for sha256, own in by_content(records):
        stand[sha256] = standing([correction_of(record) for record in own])
    to_correct = iter(
        [(run_id, episode) for run_id, episode in runs.items() if stand[episode.sha256]]
    )
    while some := list(islice(to_correct, RUNS_AT_ONCE)):
        show_corrected(
            connection,
            [
                _corrected(connection, run_id, episode, stand[episode.sha256])
                for run_id, episode in some
            ],
        )


def _corrected(
    connection: Transaction, run_id: int, episode: EpisodeRecord, stand: Sequence[Correction]
) -> CorrectedRun:
    claims = settled(stand)
    tagged, _ = ended_chunks(connection, run_id)
    sampled = Sampled(
        sorted({pts for part in tagged for pts in part.sampled_pts}),
        confidences_of(connection, run_id, claims),
    )
    raw = run_appearances(connection, run_id)
    found = corrected([_appearance(one) for one in raw if one.label in claims], claims, sampled)
    records = [one for one in raw if one.label not in claims]
    records += [_record(one, episode) for one in found]
    before, after = (FoundInRun(run_id, episode, each) for each in (raw, records))
    return CorrectedRun(before, after, len(stand))


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
        start_seconds=_seconds(episode, found.start_pts),
        end_seconds=_seconds(episode, found.end_pts),
        frames=found.frames,
        mean_confidence=found.mean_confidence,
        max_confidence=found.max_confidence,
        is_corrected=found.is_corrected,
    )


def _seconds(episode: EpisodeRecord, pts: int) -> float:
    """As `float(episode.seconds_at(pts))`, which takes ten times as long."""
    return (pts - episode.start_pts) * episode.time_base.numerator / episode.time_base.denominator
