"""List, cancel and retry runs."""

from collections.abc import Iterable, Sequence
from dataclasses import fields

from castline.asking.names import shown_names
from castline.asking.questions import APPEARANCE_COLUMNS
from castline.asking.values import Appearance, Appearances
from castline.tables import Table, columns_of
from castline.tagging.run_models import absent_models
from castline.tagging.showing import describe_shown
from castline.tagging.values import RUN_COLUMNS, Quarantined, Run, Worker
from db.changes.writes import cancel_run, retry_run
from db.engine import Transaction
from db.library.runs import get_run, list_runs, quarantined_chunks, run_appearances
from db.queue.alive import AliveWorker
from db.queue.statistics import RunStatistics, run_statistics
from db.records import RunRecord
from worker.alive import living_workers, steps_without_worker
from worker.identity import host_and_pid
from worker.installation import Installation
from worker.parameters import RunParameters


def runs(installation: Installation) -> Table[Run]:
    """Return all runs, the oldest first."""
    with installation.database.read() as connection:
        return Table(shown_runs(connection), RUN_COLUMNS)


def shown_runs(connection: Transaction, run_ids: Sequence[int] | None = None) -> tuple[Run, ...]:
    """Return public values of all runs or of given ones, the oldest first."""
    statistics = run_statistics(connection, run_ids)
    alive = living_workers(connection)
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
            statistics.get(record.id, RunStatistics()),
            given_up.get(record.id, []),
            alive,
        )
        for record in records
    )


def absent(installation: Installation) -> list[str]:
    """Return a line for each missing model for which unfinished runs wait."""
    with installation.database.read() as connection:
        return absent_models(installation.settings, list_runs(connection))


def cancel(installation: Installation, run_id: int) -> tuple[str, bool]:
    """Stop a run; return its state, and whether it was still open."""
    with installation.database.write() as connection:
        was_open = get_run(connection, run_id).is_open
        return cancel_run(connection, run_id), was_open


def retry(installation: Installation, run_id: int) -> tuple[str, int]:
    """Queue the unfinished work of a run again; return its state and the number of chunks."""
    with installation.database.write() as connection:
        offered = retry_run(connection, run_id)
        return get_run(connection, run_id).state, offered


def shown_instead(installation: Installation, run_id: int) -> tuple[str, ...]:
    """Return a line on the current run of a run's episode, if it is another one."""
    with installation.database.read() as connection:
        return describe_shown(connection, [run_id], {})


def appearances(installation: Installation, run_id: int) -> Appearances:
    """Return a run's own appearances, even if it is not the current run."""
    with installation.database.read() as connection:
        run = get_run(connection, run_id)
        names = shown_names(connection, {run.episode_id: run.episode})
        rows = tuple(
            Appearance(names[run.episode_id], **vars(found), episode_id=run.episode_id)
            for found in run_appearances(connection, run_id)
        )
    return Appearances(rows, APPEARANCE_COLUMNS)


def total_statistics(runs: Iterable[Run]) -> RunStatistics:
    """Return the total time that all processes spent on runs."""
    each = [run.statistics for run in runs]
    amounts = {
        field.name: sum(getattr(one, field.name) for one in each) for field in fields(RunStatistics)
    }
    return RunStatistics(**amounts)


def workers(installation: Installation) -> Table[Worker]:
    """Return the living workers, by machine."""
    with installation.database.read() as connection:
        found = living_workers(connection)
    rows = (Worker(*host_and_pid(each.identity), each.steps, each.run_ids) for each in found)
    return Table(tuple(rows), columns_of(Worker))


def _shown(
    record: RunRecord,
    episode: str,
    statistics: RunStatistics,
    given_up: Sequence[Quarantined],
    alive: Sequence[AliveWorker],
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
        lacks=steps_without_worker(alive, record.id) if record.is_open else (),
        chunks_done=record.chunks_done,
        chunks_total=record.chunks_total,
        frames=record.frames,
        frames_decoded=record.frames_decoded,
        decode_errors=record.decode_errors,
        statistics=statistics,
        examined_seconds=record.examined_seconds,
        is_part=record.part is not None,
        missing_seconds=record.missing_seconds,
        error=record.error,
        queued_at=record.queued_at,
        started_at=record.started_at,
        ended_at=record.ended_at,
        quarantined=tuple(given_up),
    )
