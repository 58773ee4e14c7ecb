"""End a run: find its appearances and missing ranges, and make it current."""

from bisect import bisect_right
from collections.abc import Sequence
from fractions import Fraction
from typing import TypeAlias

from db.changes.writes import finish_run
from db.engine import Transaction
from db.library.episodes import get_episode
from db.library.runs import ended_chunks, get_run, seen_labels
from db.locks import lock_episodes
from db.queue.claims import has_open_chunk
from db.records import AppearanceRecord, EpisodeRecord, ExtractedChunk
from db.states import RunState
from exact.ranges import PtsRange, PtsRanges, clip, total, union
from ingest.cuts import Cuts, joined_cuts
from timeline.appearances.from_tags import Appearance, Tag, find_appearances
from timeline.appearances.rules import Rules
from worker.parameters import RunParameters
from worker.steps.correcting import apply_corrections

Quarantined: TypeAlias = tuple[int, int, str]
"""A chunk that was given up: start_pts, end_pts, error."""

TOLERATED_MISSING_SECONDS = Fraction(1)
"""Containers round their declared durations; a second is far above that and below any shot."""

TOLERATED_ERROR_RATE = Fraction(1, 100)
"""An occasional damaged packet costs no sample; one in a hundred means a damaged file."""


def finish_run_if_complete(connection: Transaction, run_id: int) -> bool:
    """End a run whose chunks are all tagged or quarantined, in the caller's transaction.

    Returns:
        Whether the run ended now.
    """
    if has_open_chunk(connection, run_id):
        return False
    run = get_run(connection, run_id)
    if not run.is_open:
        return False
    lock_episodes(connection, [run.episode_id])  # before its corrections are read
    episode = get_episode(connection, run.episode_id)
    tagged, quarantined = ended_chunks(connection, run_id)
    missing = _missing(episode, run.examined, tagged, quarantined)
    rules = RunParameters.from_json(run.params).rules
    found = derive_appearances(connection, run_id, episode, run.examined, rules, missing)
    finish_run(
        connection,
        run_id=run_id,
        episode_id=episode.id,
        state=_final_state(tagged, bool(quarantined), missing, episode.time_base),
        frames=sum(len(part.sampled_pts) for part in tagged),
        decode_errors=sum(part.decode_errors for part in tagged),
        missing=missing,
        error=quarantined[0][2]
        if quarantined
        else _damage(tagged, clip(episode.missing, *run.examined), episode.end_pts, missing),
        appearances=found,
    )
    apply_corrections(connection, {run_id: episode})
    return True


def derive_appearances(
    connection: Transaction,
    run_id: int,
    episode: EpisodeRecord,
    examined: PtsRange,
    rules: Rules,
    missing: PtsRanges,
) -> list[AppearanceRecord]:
    """Derive a run's appearances from its stored tags, these rules and its missing ranges."""
    tagged, quarantined = ended_chunks(connection, run_id)
    found = find_appearances(
        [
            Tag(pts, label, confidence, place)
            for pts, label, confidence, place in seen_labels(connection, run_id)
        ],
        sorted({pts for part in tagged for pts in part.sampled_pts}),
        examined[1],
        episode.time_base,
        rules,
        union([(episode.start_pts, examined[0]), *missing]),
        _cuts(tagged, [start for start, _, _ in quarantined]),
    )
    return [_record(item, episode) for item in found]


def _missing(
    episode: EpisodeRecord,
    examined: PtsRange,
    tagged: Sequence[ExtractedChunk],
    quarantined: Sequence[Quarantined],
) -> PtsRanges:
    return union(
        [
            *clip(episode.missing, *examined),
            *(item for part in tagged for item in part.missing),
            *((start, end) for start, end, _ in quarantined),
        ]
    )


def cuts_of_run(connection: Transaction, run_id: int) -> tuple[int, ...] | None:
    """Return the first frames of a run's shots, ascending; None where they were not sought."""
    tagged, quarantined = ended_chunks(connection, run_id)
    return _cuts(tagged, [start for start, _, _ in quarantined])


def _cuts(
    tagged: Sequence[ExtractedChunk], quarantined_from: Sequence[int]
) -> tuple[int, ...] | None:
    """Return the cuts of a run, also those between two chunks; None where a chunk has none stored.

    Args:
        tagged: The chunks, ascending.
        quarantined_from: Start times of quarantined chunks; cuts are not sought across them.
    """
    parts = [Cuts.from_json(part.cuts) for part in tagged if part.cuts is not None]
    if len(parts) < len(tagged):
        return None
    stretches: dict[int, list[Cuts]] = {}
    for part in parts:
        if part.head.pts:
            before = bisect_right(quarantined_from, part.head.pts[0])
            stretches.setdefault(before, []).append(part)
    return tuple(pts for stretch in stretches.values() for pts in joined_cuts(stretch))


def _final_state(
    tagged: Sequence[ExtractedChunk], has_quarantined: bool, missing: PtsRanges, time_base: Fraction
) -> RunState:
    if not any(part.sampled_pts for part in tagged):
        return RunState.FAILED
    missing_seconds = total(missing) * time_base
    decoded = sum(part.frames_decoded for part in tagged)
    errors = sum(part.decode_errors for part in tagged)
    is_damaged = errors > 0 and errors >= TOLERATED_ERROR_RATE * (decoded + errors)
    is_partial = has_quarantined or is_damaged or missing_seconds > TOLERATED_MISSING_SECONDS
    return RunState.PARTIAL if is_partial else RunState.DONE


def _damage(
    tagged: Sequence[ExtractedChunk], file_lacks: PtsRanges, end_pts: int, missing: PtsRanges
) -> str | None:
    """Describe the damage of the file, for the person who reads that a run is partial."""
    errors = sum(part.decode_errors for part in tagged)
    if any(end == end_pts for _, end in file_lacks):
        return "the file ends early; copy it again"
    if errors:
        return f"{errors} errors while decoding, the file is damaged; copy it again"
    return "a part of the file is missing; copy it again" if missing else None


def _record(found: Appearance, episode: EpisodeRecord) -> AppearanceRecord:
    return AppearanceRecord(
        label=found.label,
        start_pts=found.start_pts,
        end_pts=found.end_pts,
        start_seconds=float(episode.seconds_at(found.start_pts)),
        end_seconds=float(episode.seconds_at(found.end_pts)),
        frames=found.frames,
        mean_confidence=found.mean_confidence,
        max_confidence=found.max_confidence,
    )
