"""Runs that were made: how far they are, cancelled, offered again."""

from collections.abc import Iterable, Sequence
from dataclasses import fields

from castline.asking.names import shown_names
from castline.asking.questions import APPEARANCE_COLUMNS
from castline.asking.values import Appearance, Appearances
from castline.tables import Table
from castline.tagging.run_models import absent_models
from castline.tagging.values import RUN_COLUMNS, Quarantined, Run
from db.changes.writes import cancel_run, retry_run
from db.engine import Transaction
from db.library.runs import (
    current_run_of,
    get_run,
    list_runs,
    quarantined_chunks,
    run_appearances,
)
from db.queue.effort import RunEffort, run_efforts
from db.records import RunRecord
from worker.parameters import RunParameters
from worker.workplace import Workplace


def runs(place: Workplace) -> Table[Run]:
    """All runs, the oldest first."""
    with place.database.read() as connection:
        return Table(shown_runs(connection), RUN_COLUMNS)


def shown_runs(connection: Transaction, run_ids: Sequence[int] | None = None) -> tuple[Run, ...]:
    """Runs as they are shown, the oldest first: of all, or only those asked for."""
    efforts = run_efforts(connection, run_ids)
    given_up: dict[int, list[Quarantined]] = {}
    for item in quarantined_chunks(connection, run_ids):
        part = Quarantined(item.start_seconds, item.end_seconds, item.attempts, item.error)
        given_up.setdefault(item.run_id, []).append(part)
    records = list_runs(connection, run_ids)
    names = shown_names(connection, {record.episode_id: record.episode for record in records})
    return tuple(
        _shown(
            record,
            names[record.episode_id],
            efforts.get(record.id, RunEffort()),
            given_up.get(record.id, []),
        )
        for record in records
    )


def absent(place: Workplace) -> list[str]:
    """A line for each model that unfinished runs wait for and that is not here."""
    with place.database.read() as connection:
        return absent_models(place.settings, list_runs(connection))


def cancel(place: Workplace, run_id: int) -> tuple[str, bool]:
    """Stops a run; returns its state, and whether it had not ended before."""
    with place.database.write() as connection:
        was_open = get_run(connection, run_id).is_open
        return cancel_run(connection, run_id), was_open


def retry(place: Workplace, run_id: int) -> tuple[str, int]:
    """Offers again what a run left undone; returns its state, and how many chunks those are."""
    with place.database.write() as connection:
        offered = retry_run(connection, run_id)
        return get_run(connection, run_id).state, offered


def appearances(place: Workplace, run_id: int) -> tuple[Appearances, Run | None]:
    """A run's own appearances, and the run that questions see in its place if they do."""
    with place.database.read() as connection:
        run = get_run(connection, run_id)
        names = shown_names(connection, {run.episode_id: run.episode})
        rows = tuple(
            Appearance(names[run.episode_id], **vars(found), episode_id=run.episode_id)
            for found in run_appearances(connection, run_id)
        )
        current = current_run_of(connection, run.episode_id)
        other = [current.id] if current and current.id != run_id else []
        shown = shown_runs(connection, other) if other else ()
    return Appearances(rows, APPEARANCE_COLUMNS), shown[0] if shown else None


def total_effort(runs: Iterable[Run]) -> RunEffort:
    """What all processes spent on some runs together."""
    efforts = [run.effort for run in runs]
    amounts = {
        field.name: sum(getattr(effort, field.name) for effort in efforts)
        for field in fields(RunEffort)
    }
    return RunEffort(**amounts)


def _shown(
    record: RunRecord, episode: str, effort: RunEffort, given_up: Sequence[Quarantined]
) -> Run:
    return Run(
        id=record.id,
        episode=episode,
        episode_id=record.episode_id,
        model=record.model,
        model_sha256=record.model_sha256,
        every_seconds=RunParameters.from_json(record.params).every_seconds,
        state=record.state,
        is_current=record.is_current,
        is_at_work=record.claimed > 0,
        chunks_done=record.chunks_done,
        chunks_total=record.chunks_total,
        frames=record.frames,
        frames_decoded=record.frames_decoded,
        decode_errors=record.decode_errors,
        effort=effort,
        examined_seconds=record.examined_seconds,
        is_part=record.part is not None,
        missing_seconds=record.missing_seconds,
        error=record.error,
        queued_at=record.queued_at,
        started_at=record.started_at,
        ended_at=record.ended_at,
        quarantined=tuple(given_up),
    )
