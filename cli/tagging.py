"""The work: tag, enqueue, worker."""

import os
import signal
import threading
import time
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path
from shlex import quote
from typing import Annotated, Literal

import typer

from cli.console import Json, print_json, say, say_error
from cli.progress import reading, run_bars
from cli.report import EXIT_FAILED, describe_end, exit_code, print_run, say_effort
from cli.runs import run_json
from cli.terminal import stderr
from db.current import make_current
from db.cuts import outliving_cuts
from db.patience import patience_of_worker
from db.records import RunRecord
from db.runs import list_runs
from db.writes import retry_run
from ingest.errors import IngestError
from ingest.remote_files import is_remote
from worker.errors import BrokerError, WorkerError
from worker.workplace import Workplace, open_workplace

Episodes = Annotated[
    list[str], typer.Argument(help="Episode files, or s3:// URLs.", show_default=False)
]
Model = Annotated[str | None, typer.Option(help="NAME or NAME@VERSION; default the one in use.")]
Every = Annotated[str, typer.Option(help="Seconds between two looks at an episode.")]
Workers = Annotated[
    int | None, typer.Option(min=1, max=256, help="Decoder processes; default one per core.")
]
Device = Annotated[Literal["auto", "cpu", "gpu"], typer.Option(help="Where to classify.")]


def add_commands(app: typer.Typer) -> None:
    """Adds this group's commands."""
    app.command()(tag)
    app.command()(enqueue)
    app.command()(worker)


@dataclass(frozen=True)
class Queued:
    """What became of the files that were to be enqueued."""

    sources: tuple[str, ...]
    """The files and URLs that can be used."""
    runs: tuple[RunRecord, ...]
    """The run of each of them."""
    new_run_ids: frozenset[int]
    refused: int
    model_sha256: str


def tag(
    context: typer.Context,
    paths: Episodes,
    model: Model = None,
    every: Every = "0.5",
    workers: Workers = None,
    device: Device = "auto",
    as_json: Json = False,
) -> None:
    """Say who is on screen when in episode files, working on this machine until it is known.

    Done before, it answers at once; interrupted, it goes on where it stopped.

    Example: castline tag pilot.mkv
    """
    with open_workplace(context.obj) as place:
        for path in paths:
            if os.path.isdir(path):  # noqa: PTH112 - Path.is_dir raises for a name that is too long
                raise WorkerError(f"{path}: is a folder; run: castline enqueue {quote(path)}")
        queued = enqueue_files(place, paths, model, every)
        run_ids = tuple(dict.fromkeys(run.id for run in queued.runs))
        began = time.monotonic()
        worked = _offer_again(place, queued.runs)
        if worked:
            work_on(place, workers, device, run_ids, queued.model_sha256)
        for run_id in run_ids:  # what was asked for last is what `who` and `when` shall see
            with place.database.write() as connection:
                make_current(connection, run_id)
        with place.database.read() as connection:
            runs = list_runs(connection, run_ids)
        if as_json:
            print_json([run_json(place, run) for run in runs])
        else:
            for run in runs:
                print_run(place, run)
            if worked:
                say(f"Worked for {time.monotonic() - began:.1f} s.")
                say_effort(place, runs)
    raise typer.Exit(exit_code(runs, queued.refused))


def enqueue(
    context: typer.Context,
    paths: Annotated[
        list[str],
        typer.Argument(help="Episode files, folders of them, or s3:// URLs of either."),
    ],
    model: Model = None,
    every: Every = "0.5",
    lane: Annotated[
        Literal["interactive", "bulk"], typer.Option(help="What is interactive goes first.")
    ] = "bulk",
) -> None:
    """Put episodes into the queue; castline worker works on them.

    Example: castline enqueue ~/series/season-1
    """
    from worker.broker_url import checked_broker_url
    from worker.enqueue import find_episode_files
    from worker.sources import find_remote_episodes

    if context.obj.broker_url is not None:
        checked_broker_url(context.obj.broker_url)  # before anything is enqueued
    files = find_episode_files([Path(path) for path in paths if not is_remote(path)])
    urls = find_remote_episodes([path for path in paths if is_remote(path)], context.obj)
    for line in files.skipped:
        say(line)
    with open_workplace(context.obj) as place:
        queued = enqueue_files(place, [*map(str, files.paths), *urls], model, every, lane)
        broker_error = _offer(place)
    for source, run in zip(queued.sources, queued.runs, strict=True):
        name = Path(source).name
        same = "" if name == run.episode else f"same content as {run.episode}, "
        known = "" if run.id in queued.new_run_ids else f", known already, {run.state}"
        say(f"{name}: {same}run {run.id}{known}")
    new, refused, skipped = len(queued.new_run_ids), queued.refused, len(files.skipped)
    say(f"{new} new, {len(queued.runs) - new} known, {refused} refused, {skipped} skipped")
    if broker_error:
        say_error(broker_error)
    raise typer.Exit(EXIT_FAILED if queued.refused or broker_error else 0)


def _offer(place: Workplace) -> BrokerError | None:
    """Tells Celery's workers of new chunks, which are in the database already."""
    if place.settings.broker_url is None:
        return None
    from worker.app import make_app
    from worker.offering import offer

    try:
        offer(place, make_app(place.settings))
    except BrokerError as error:
        return error
    return None


def worker(
    context: typer.Context,
    concurrency: Annotated[
        int | None,
        typer.Option(
            "--concurrency",
            "--workers",
            min=1,
            max=256,
            help="Processes; default one per core, or per GPU to classify.",
        ),
    ] = None,
    queues: Annotated[
        str | None, typer.Option(help="With a broker: extract, classify, or both by a comma.")
    ] = None,
    device: Device = "auto",
    until_idle: Annotated[
        bool, typer.Option("--until-idle", help="End when nothing is left to do.")
    ] = False,
) -> None:
    """Work on what is enqueued, until Ctrl-C.

    By itself, or with others that hear of chunks through CASTLINE_BROKER_URL.

    Example: castline worker --until-idle
    """
    with open_workplace(context.obj, patience_of_worker(stays=not until_idle)) as place:
        ended_before = _ended_runs(place)
        say("Working; Ctrl-C stops, and the next start goes on from there.")
        if place.settings.broker_url:
            _serve(place, queues, concurrency, device, until_idle)
        elif queues:
            raise WorkerError("--queues: only with a broker; set CASTLINE_BROKER_URL")
        else:
            work_on(place, concurrency, device, None, None, until_idle=until_idle)
        ended = [run for key, run in _ended_runs(place).items() if key not in ended_before]
        for run in ended:
            say(describe_end(run))
        say_effort(place, ended)
    raise typer.Exit(exit_code(ended) if until_idle else 0)


def _serve(
    place: Workplace, queues: str | None, concurrency: int | None, device: str, until_idle: bool
) -> None:
    from worker.app import STEPS
    from worker.celery_worker import CeleryWorkers, WorkerOptions
    from worker.metrics import serve_metrics

    steps = tuple(queues.split(",")) if queues else STEPS
    options = WorkerOptions(steps, concurrency, device, until_idle)
    workers = CeleryWorkers(place.settings, options)
    with serve_metrics(place.settings, place.database), _stopping_on_signals(workers.stop):
        code = workers.run()
    if code:
        raise typer.Exit(code)


@outliving_cuts
def _ended_runs(place: Workplace) -> dict[tuple[int, datetime], RunRecord]:
    # With the moment: what was offered again meanwhile ends once more.
    with place.database.read() as connection:
        return {(run.id, run.ended_at): run for run in list_runs(connection) if run.ended_at}


def enqueue_files(
    place: Workplace,
    sources: Sequence[str],
    model: str | None,
    every: str,
    lane: str = "interactive",
) -> Queued:
    """Enqueues files one by one; a file that cannot be used is named on stderr and left out."""
    from ingest.decoder import Decoder
    from worker.parameters import RunParameters, parse_every_seconds
    from worker.promoting import chosen_model
    from worker.run_models import keep_model
    from worker.sources import enqueue_source

    version = chosen_model(place, model)
    keep_model(place.settings, version)
    parameters = RunParameters.for_model(version.manifest, parse_every_seconds(every))
    usable: list[str] = []
    runs: list[RunRecord] = []
    new: set[int] = set()
    refused = 0
    with Decoder(media_roots=place.settings.readable_roots) as decoder:
        for source in sources:
            try:
                with reading(source):
                    found = enqueue_source(place, source, decoder, version, parameters, lane)
            except IngestError as error:
                say_error(error)
                refused += 1
                continue
            usable.append(source)
            runs.append(found.run)
            if found.is_new:
                new.add(found.run.id)
    return Queued(tuple(usable), tuple(runs), frozenset(new), refused, version.sha256)


def work_on(
    place: Workplace,
    workers: int | None,
    device: str,
    run_ids: tuple[int, ...] | None,
    model_sha256: str | None,
    *,
    until_idle: bool = True,
) -> None:
    """Runs the embedded runner with progress bars until nothing is left, or Ctrl-C.

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
    with _stopping_on_signals(runner.stop), run_bars() as show:
        finished = runner.run(show)
    if not finished and until_idle:
        raise WorkStoppedError("stopped; the same command goes on where it stopped")


@contextmanager
def _stopping_on_signals(stop: Callable[[], None]) -> Iterator[None]:
    if threading.current_thread() is not threading.main_thread():
        yield
        return

    def on_signal(number: int, _frame: object) -> None:
        if asked:
            # Asked twice: the children die with this process, and their claims are swept up.
            os._exit(128 + number)
        asked.append(number)
        if stderr.is_terminal:
            say("Stopping; once more stops at once.")
        stop()

    asked: list[int] = []
    before = {
        number: signal.signal(number, on_signal) for number in (signal.SIGINT, signal.SIGTERM)
    }
    try:
        yield
    finally:
        for number, handler in before.items():
            signal.signal(number, handler)


def _offer_again(place: Workplace, runs: Sequence[RunRecord]) -> bool:
    # Who tags again what was cancelled or failed wants it tried again.
    for run in runs:
        if run.state in ("cancelled", "failed"):
            with place.database.write() as connection:
                retry_run(connection, run.id)
    with place.database.read() as connection:
        return any(run.is_open for run in list_runs(connection, [run.id for run in runs]))
