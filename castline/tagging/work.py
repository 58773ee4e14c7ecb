"""Work on episodes: into the queue, and through it on this machine or by Celery."""

import os
import time
from collections.abc import Callable, Sequence
from contextlib import nullcontext
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path
from shlex import quote
from typing import TypeAlias

from castline.errors import BrokerError, RequestError, as_castline_errors, castline_error
from castline.tagging.runs import shown_runs
from castline.tagging.values import (
    RUN_COLUMNS,
    Device,
    Enqueued,
    Hooks,
    Lane,
    Queue,
    Run,
    RunProgress,
    Tagged,
    Worked,
)
from db.current import make_current
from db.cuts import outliving_cuts
from db.patience import patience_of_worker
from db.records import RunRecord
from db.runs import RunProgress as StoredProgress
from db.runs import list_runs
from db.writes import retry_run
from ingest.errors import IngestError
from ingest.remote_files import is_remote
from worker.settings import Settings
from worker.workplace import Workplace, open_workplace

Every: TypeAlias = str | float
"""Seconds between two looks at an episode: `0.5`, or `1/3` as a text."""


@dataclass(frozen=True)
class Sources:
    """Files and URLs to enqueue."""

    names: tuple[str, ...]
    skipped: tuple[str, ...]
    """A line for each that was passed over in folders, and why."""


@dataclass(frozen=True)
class QueuedFiles:
    """What became of the files that were to be enqueued."""

    sources: tuple[str, ...]
    """The files and URLs that can be used."""
    runs: tuple[RunRecord, ...]
    """The run of each of them."""
    new_run_ids: frozenset[int]
    refused: int
    model_sha256: str

    @property
    def run_ids(self) -> tuple[int, ...]:
        """Of the runs, each once."""
        return tuple(dict.fromkeys(run.id for run in self.runs))


def tag(
    place: Workplace,
    sources: Sequence[str],
    *,
    model: str | None,
    every: Every,
    workers: int | None,
    device: Device,
    hooks: Hooks,
) -> Tagged:
    """Tags episodes on this machine until it is known who is on screen; see `Library.tag`."""
    for source in sources:
        if os.path.isdir(source):  # noqa: PTH112 - Path.is_dir raises for a name that is too long
            raise RequestError(f"{source}: is a folder; run: castline enqueue {quote(source)}")
    queued = enqueue_files(place, sources, model, every, "interactive", hooks)
    began = time.monotonic()
    is_work_left = _offer_again(place, queued.runs)
    if is_work_left:
        work_on(place, workers, device, queued.run_ids, queued.model_sha256, hooks=hooks)
    make_shown(place, queued.run_ids)
    with place.database.read() as connection:
        runs = shown_runs(connection, queued.run_ids)
    seconds = time.monotonic() - began if is_work_left else None
    return Tagged(runs, RUN_COLUMNS, refused=queued.refused, seconds=seconds)


def make_shown(place: Workplace, run_ids: Sequence[int]) -> None:
    """Has questions answered from runs that were asked for last, as far as models' order lets."""
    for run_id in run_ids:
        with place.database.write() as connection:
            make_current(connection, run_id)


def find_sources(settings: Settings, paths: Sequence[str]) -> Sources:
    """Finds what to enqueue: files as they are, folders and prefixes searched through."""
    from castline.tagging.enqueue import find_episode_files
    from castline.tagging.sources import find_remote_episodes
    from worker.broker_url import checked_broker_url

    if settings.broker_url is not None:
        checked_broker_url(settings.broker_url)  # before anything is enqueued
    files = find_episode_files([Path(path) for path in paths if not is_remote(path)])
    urls = find_remote_episodes([path for path in paths if is_remote(path)], settings)
    return Sources((*map(str, files.paths), *urls), files.skipped)


def enqueue(
    place: Workplace, found: Sources, *, model: str | None, every: Every, lane: Lane, hooks: Hooks
) -> Queue:
    """Puts files into the queue and tells Celery's workers of them; see `Library.enqueue`."""
    queued = enqueue_files(place, found.names, model, every, lane, hooks)
    broker_error = _offer(place)
    enqueued = tuple(
        Enqueued(source, run.id, run.episode, run.state, run.id in queued.new_run_ids)
        for source, run in zip(queued.sources, queued.runs, strict=True)
    )
    return Queue(enqueued, queued.refused, len(found.skipped), broker_error)


def enqueue_files(
    place: Workplace,
    sources: Sequence[str],
    model: str | None,
    every: Every,
    lane: Lane,
    hooks: Hooks,
) -> QueuedFiles:
    """Enqueues files one by one; one that cannot be used is told of and left out."""
    from castline.models.in_use import chosen_model
    from castline.tagging.run_models import keep_model
    from castline.tagging.sources import enqueue_source
    from ingest.decoder import Decoder
    from worker.parameters import RunParameters, parse_every_seconds

    version = chosen_model(place, model)
    keep_model(place.settings, version)
    parameters = RunParameters.for_model(version.manifest, parse_every_seconds(str(every)))
    usable: list[str] = []
    runs: list[RunRecord] = []
    new: set[int] = set()
    refused = 0
    with Decoder(media_roots=place.settings.readable_roots) as decoder:
        for source in sources:
            try:
                with hooks.reading(source) if hooks.reading else nullcontext():
                    found = enqueue_source(place, source, decoder, version, parameters, lane)
            except IngestError as error:
                _refuse(error, hooks)
                refused += 1
                continue
            usable.append(source)
            runs.append(found.run)
            if found.is_new:
                new.add(found.run.id)
    return QueuedFiles(tuple(usable), tuple(runs), frozenset(new), refused, version.sha256)


def _refuse(error: IngestError, hooks: Hooks) -> None:
    told = castline_error(error)
    if hooks.on_refused is None or told is None:
        raise error
    hooks.on_refused(told)


def work_on(
    place: Workplace,
    workers: int | None,
    device: Device,
    run_ids: tuple[int, ...] | None,
    model_sha256: str | None,
    *,
    until_idle: bool = True,
    hooks: Hooks,
) -> None:
    """Runs the embedded runner until nothing is left, or it is stopped.

    Raises:
        WorkStoppedError: It was stopped before the end.
    """
    from ingest.decoder import Decoder
    from worker.errors import WorkStoppedError
    from worker.runner import EmbeddedRunner, RunnerOptions

    options = RunnerOptions(
        extract_processes=workers or os.cpu_count() or 1,
        device=device,
        run_ids=run_ids,
        model_sha256=model_sha256,
        until_idle=until_idle,
    )
    runner = EmbeddedRunner(
        place, options, lambda: Decoder(media_roots=place.settings.readable_roots)
    )
    with hooks.stopping(runner.stop) if hooks.stopping else nullcontext():
        finished = runner.run(_told_of(hooks.on_progress))
    if not finished and until_idle:
        raise WorkStoppedError("stopped; the same command goes on where it stopped")


def work(
    settings: Settings,
    *,
    concurrency: int | None,
    queues: str | None,
    device: Device,
    until_idle: bool,
    on_start: Callable[[], None],
    hooks: Hooks,
) -> Worked:
    """Works on what is enqueued; see `Library.work`."""
    with open_workplace(settings, patience_of_worker(stays=not until_idle)) as place:
        ended_before = _ended_runs(place)
        on_start()
        if settings.broker_url:
            code = _serve(place, queues, concurrency, device, until_idle, hooks)
            if code:
                return Worked((), RUN_COLUMNS, exit_code=code)
        elif queues:
            raise RequestError("--queues: only with a broker; set CASTLINE_BROKER_URL")
        else:
            work_on(place, concurrency, device, None, None, until_idle=until_idle, hooks=hooks)
        ended = [run for key, run in _ended_runs(place).items() if key not in ended_before]
        return Worked(tuple(ended), RUN_COLUMNS)


def _serve(
    place: Workplace,
    queues: str | None,
    concurrency: int | None,
    device: Device,
    until_idle: bool,
    hooks: Hooks,
) -> int:
    from worker.app import STEPS
    from worker.celery_worker import CeleryWorkers, WorkerOptions
    from worker.metrics import serve_metrics

    steps = tuple(queues.split(",")) if queues else STEPS
    options = WorkerOptions(steps, concurrency, device, until_idle)
    workers = CeleryWorkers(place.settings, options)
    stopping = hooks.stopping(workers.stop) if hooks.stopping else nullcontext()
    with serve_metrics(place.settings, place.database), stopping:
        return workers.run()


@outliving_cuts
def _ended_runs(place: Workplace) -> dict[tuple[int, datetime], Run]:
    # With the moment: what was offered again meanwhile ends once more.
    with place.database.read() as connection:
        return {(run.id, run.ended_at): run for run in shown_runs(connection) if run.ended_at}


def _offer(place: Workplace) -> BrokerError | None:
    """Tells Celery's workers of new chunks, which are in the database already."""
    if place.settings.broker_url is None:
        return None
    from worker.app import make_app
    from worker.offering import offer

    try:
        with as_castline_errors():
            offer(place, make_app(place.settings))
    except BrokerError as error:
        return error
    return None


def _offer_again(place: Workplace, runs: Sequence[RunRecord]) -> bool:
    """Offers again what was cancelled or failed; returns whether there is work."""
    # Who tags again what was cancelled or failed wants it tried again.
    for run in runs:
        if run.state in ("cancelled", "failed"):
            with place.database.write() as connection:
                retry_run(connection, run.id)
    with place.database.read() as connection:
        return any(run.is_open for run in list_runs(connection, [run.id for run in runs]))


def _told_of(
    on_progress: Callable[[Sequence[RunProgress]], None] | None,
) -> Callable[[Sequence[StoredProgress]], None] | None:
    from worker.parameters import RunParameters

    if on_progress is None:
        return None

    def tell(runs: Sequence[StoredProgress]) -> None:
        on_progress([_progress_of(run) for run in runs])

    def _progress_of(run: StoredProgress) -> RunProgress:
        every_seconds = float(RunParameters.from_json(run.params).every_seconds)
        return RunProgress(
            run.run_id,
            run.episode,
            run.extracted_seconds / every_seconds,
            run.duration_seconds / every_seconds,
        )

    return tell
