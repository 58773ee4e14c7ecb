"""Work on episodes, on this machine or through Celery."""

import os
import time
from collections.abc import Callable, Sequence
from contextlib import nullcontext
from datetime import datetime

from castline.asking.names import shown_names
from castline.errors import RequestError
from castline.tagging.parts import Part
from castline.tagging.queue import Every, Sources, enqueue_files
from castline.tagging.runs import shown_runs
from castline.tagging.showing import describe_shown, make_shown, runs_shown
from castline.tagging.values import RUN_COLUMNS, Hooks, Run, RunProgress, Tagged, Worked
from db.changes.writes import retry_run
from db.library.runs import RunProgress as StoredProgress
from db.library.runs import current_runs, list_runs
from db.patience import patience_of_worker
from db.records import RunRecord
from db.retrying import retry_on_disconnect
from db.states import Lane, RunState, Step
from model.inference.device import Device
from worker.installation import Installation, open_installation
from worker.settings import Settings


def tag(
    installation: Installation,
    found: Sources,
    *,
    model: str | None,
    every: Every | None,
    part: Part,
    workers: int | None,
    device: Device,
    hooks: Hooks,
) -> Tagged:
    """Tag episodes on this machine and wait for the result; see `Library.tag`."""
    queued = enqueue_files(installation, found.names, model, every, part, Lane.INTERACTIVE, hooks)
    before = runs_shown(installation, queued.runs)
    make_shown(installation, queued.runs)
    began = time.monotonic()
    is_work_left = _offer_again(installation, queued.runs)
    if is_work_left:
        work_on(installation, workers, device, queued.run_ids, queued.model_sha256, hooks=hooks)
    seconds = time.monotonic() - began if is_work_left else None
    with installation.database.read() as connection:
        return Tagged(
            shown_runs(connection, queued.run_ids),
            RUN_COLUMNS,
            refused=queued.refused,
            seconds=seconds,
            shown=describe_shown(connection, queued.run_ids, before),
        )


def work_on(
    installation: Installation,
    workers: int | None,
    device: Device,
    run_ids: tuple[int, ...] | None,
    model_sha256: str | None,
    *,
    until_idle: bool = True,
    hooks: Hooks,
) -> None:
    """Run the embedded runner until the work is done, or it is stopped.

    Raises:
        WorkStoppedError: The work was stopped before its end.
    """
    from ingest.decoder.parent import Decoder
    from worker.embedded.runner import EmbeddedRunner, RunnerOptions
    from worker.errors import WorkStoppedError

    options = RunnerOptions(
        extract_processes=workers or os.cpu_count() or 1,
        device=device,
        run_ids=run_ids,
        model_sha256=model_sha256,
        until_idle=until_idle,
    )
    runner = EmbeddedRunner(
        installation, options, lambda: Decoder(media_roots=installation.settings.readable_roots)
    )
    with hooks.stopping(runner.stop) if hooks.stopping else nullcontext():
        finished = runner.run(_told_of(installation, hooks.on_progress))
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
    """Work on the queue; see `Library.work`."""
    with open_installation(settings, patience_of_worker(stays=not until_idle)) as installation:
        ended_before = _ended_runs(installation)
        with installation.database.read() as connection:
            before = current_runs(connection)
        on_start()
        if settings.broker_url:
            code = _serve(installation, queues, concurrency, device, until_idle, hooks)
            if code:
                return Worked((), RUN_COLUMNS, exit_code=code)
        elif queues:
            raise RequestError("--queues: only with a broker; set CASTLINE_BROKER_URL")
        else:
            work_on(
                installation, concurrency, device, None, None, until_idle=until_idle, hooks=hooks
            )
        ended = [run for key, run in _ended_runs(installation).items() if key not in ended_before]
        with installation.database.read() as connection:
            shown = describe_shown(connection, [run.id for run in ended], before)
        return Worked(tuple(ended), RUN_COLUMNS, shown=shown)


def _serve(
    installation: Installation,
    queues: str | None,
    concurrency: int | None,
    device: Device,
    until_idle: bool,
    hooks: Hooks,
) -> int:
    from worker.cluster.celery_worker import CeleryWorkers, WorkerOptions
    from worker.telemetry.metrics import serve_metrics

    options = WorkerOptions(_steps(queues), concurrency, device, until_idle)
    workers = CeleryWorkers(installation.settings, options)
    stopping = hooks.stopping(workers.stop) if hooks.stopping else nullcontext()
    with serve_metrics(installation.settings, installation.database), stopping:
        return workers.run()


def _steps(queues: str | None) -> tuple[Step, ...]:
    if queues is None:
        return tuple(Step)
    try:
        return tuple(dict.fromkeys(map(Step, queues.split(","))))
    except ValueError:
        raise RequestError(
            f"--queues: {' or '.join(Step)}, or both by a comma, received {queues!r}"
        ) from None


@retry_on_disconnect
def _ended_runs(installation: Installation) -> dict[tuple[int, datetime], Run]:
    # Compare end times: a run that was queued again in the meantime ends once more.
    with installation.database.read() as connection:
        return {(run.id, run.ended_at): run for run in shown_runs(connection) if run.ended_at}


def _offer_again(installation: Installation, runs: Sequence[RunRecord]) -> bool:
    """Queue cancelled and failed runs again; return whether there is work."""
    # Tagging a cancelled or failed run again means a retry.
    for run in runs:
        if run.state in (RunState.CANCELLED, RunState.FAILED):
            with installation.database.write() as connection:
                retry_run(connection, run.id)
    with installation.database.read() as connection:
        return any(run.is_open for run in list_runs(connection, [run.id for run in runs]))


def _told_of(
    installation: Installation,
    on_progress: Callable[[Sequence[RunProgress]], None] | None,
) -> Callable[[Sequence[StoredProgress]], None] | None:
    from worker.parameters import RunParameters

    if on_progress is None:
        return None

    names: dict[int, str] = {}

    def tell(runs: Sequence[StoredProgress]) -> None:
        if any(run.episode_id not in names for run in runs):
            with installation.database.read() as connection:
                episodes = {run.episode_id: run.episode for run in runs}
                names.update(shown_names(connection, episodes))
        on_progress([_progress_of(run) for run in runs])

    def _progress_of(run: StoredProgress) -> RunProgress:
        every_seconds = float(RunParameters.from_json(run.params).every_seconds)
        return RunProgress(
            run.run_id,
            names[run.episode_id],
            run.extracted_seconds / every_seconds,
            run.duration_seconds / every_seconds,
        )

    return tell
