"""The commands that do the work: tag, enqueue, worker."""

import os
import signal
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Annotated

import typer

from castline import Device, Lane
from castline.library import Library
from castline.tagging.values import Hooks, Moved
from cli.console import Json, print_json, say, say_error, say_lines
from cli.progress import reading, run_bars
from cli.tagging.report import EXIT_FAILED, describe_end, exit_code, print_run, say_statistics
from cli.terminal import stderr

Episodes = Annotated[
    list[str],
    typer.Argument(
        help="Episode files, folders of them, or s3:// URLs of either.", show_default=False
    ),
]
Model = Annotated[str | None, typer.Option(help="NAME or NAME@VERSION; default the model in use.")]
Every = Annotated[
    str | None,
    typer.Option(
        help="Sampling interval in seconds; default the one asked for last, 0.5 at first."
    ),
]
From = Annotated[
    str | None,
    typer.Option("--from", help="Examine only a part: from here, or the key frame before it."),
]
To = Annotated[str | None, typer.Option("--to", help="Examine only a part: until here.")]
Workers = Annotated[
    int | None,
    typer.Option(min=1, max=256, help="Number of decoder processes; default one per core."),
]
DeviceOption = Annotated[Device, typer.Option(help="Device to classify on.")]


def add_commands(app: typer.Typer) -> None:
    """Add this group's commands."""
    app.command()(tag)
    app.command()(enqueue)
    app.command()(worker)


def tag(
    context: typer.Context,
    paths: Episodes,
    model: Model = None,
    every: Every = None,
    from_: From = None,
    to: To = None,
    workers: Workers = None,
    device: DeviceOption = Device.AUTO,
    as_json: Json = False,
) -> None:
    """Tag episode files on this machine, and show who is on screen when.

    A finished run is shown immediately; an interrupted one continues.

    Example: castline tag pilot.mkv
    """
    library: Library = context.obj
    with working() as hooks:
        tagged = library.tag(
            *paths,
            model=model,
            every=every,
            from_=from_,
            to=to,
            workers=workers,
            device=device,
            hooks=hooks,
            on_skipped=say,
        )
    if as_json:
        print_json(tagged.to_dicts())
    else:
        for run in tagged:
            print_run(library, run)
        if tagged.seconds is not None:
            say(f"Worked for {tagged.seconds:.1f} s.")
            say_statistics(tagged.rows)
    say_lines(tagged.shown)
    raise typer.Exit(exit_code(tagged.rows, tagged.refused))


def enqueue(
    context: typer.Context,
    paths: Episodes,
    model: Model = None,
    every: Every = None,
    from_: From = None,
    to: To = None,
    lane: Annotated[
        Lane, typer.Option(help="Lane of the queue; interactive goes first.")
    ] = Lane.BULK,
) -> None:
    """Put episodes into the queue, on which castline worker works.

    Example: castline enqueue ~/series/season-1
    """
    library: Library = context.obj
    with working() as hooks:
        queue = library.enqueue(
            *paths,
            model=model,
            every=every,
            from_=from_,
            to=to,
            lane=lane,
            hooks=hooks,
            on_skipped=say,
        )
    for found in queue.enqueued:
        name = Path(found.source).name
        same = "" if name == found.episode else f"same content as {found.episode}, "
        known = "" if found.is_new else f", known already, {found.state}"
        say(f"{name}: {same}run {found.run_id}{known}")
    new = len({found.run_id for found in queue.enqueued if found.is_new})
    known_count = len(queue.enqueued) - new
    say(f"{new} new, {known_count} known, {queue.refused} refused, {queue.skipped} skipped")
    say_lines(queue.shown)
    if queue.broker_error:
        say_error(queue.broker_error)
    raise typer.Exit(EXIT_FAILED if queue.refused or queue.broker_error else 0)


def worker(
    context: typer.Context,
    concurrency: Annotated[
        int | None,
        typer.Option(
            "--concurrency",
            "--workers",
            min=1,
            max=256,
            help="Number of processes; default one per core, or per GPU to classify.",
        ),
    ] = None,
    queues: Annotated[
        str | None, typer.Option(help="With a broker: extract, classify, or extract,classify.")
    ] = None,
    device: DeviceOption = Device.AUTO,
    until_idle: Annotated[
        bool, typer.Option("--until-idle", help="End when the queue is empty.")
    ] = False,
) -> None:
    """Work on the queue until Ctrl-C.

    The worker polls the database, or receives chunks from a broker if CASTLINE_BROKER_URL is set.

    Example: castline worker --until-idle
    """
    library: Library = context.obj
    with working() as hooks:
        worked = library.work(
            concurrency=concurrency,
            queues=queues,
            device=device,
            until_idle=until_idle,
            hooks=hooks,
            on_start=lambda: say("Working; Ctrl-C stops, and the next start continues from there."),
        )
    if worked.exit_code:
        raise typer.Exit(worked.exit_code)
    for run in worked:
        say(describe_end(run))
    say_lines(worked.shown)
    say_statistics(worked.rows)
    raise typer.Exit(exit_code(worked.rows) if until_idle else 0)


@contextmanager
def working() -> Iterator[Hooks]:
    """Show progress, report files that cannot be used, and stop on Ctrl-C and SIGTERM."""
    with run_bars() as show:
        yield Hooks(
            on_progress=show,
            on_refused=say_error,
            on_moved=_say_moved,
            reading=reading,
            stopping=_stopping_on_signals,
        )


def _say_moved(found: Moved) -> None:
    say(
        f"{found.episode}: was {found.old_path}; the episode has this name and place now, and"
        " answers to the old name, too"
    )


@contextmanager
def _stopping_on_signals(stop: Callable[[], None]) -> Iterator[None]:
    if threading.current_thread() is not threading.main_thread():
        yield
        return

    def on_signal(number: int, _frame: object) -> None:
        if asked:
            # Second signal: the child processes die with this one, and their claims expire.
            os._exit(128 + number)
        asked.append(number)
        if stderr.is_terminal:
            say("Stopping; repeat to stop immediately.")
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
