"""Commands for the queue: status, cancel, retry."""

import time
from collections.abc import Iterable, Iterator, Sequence
from typing import Annotated

import typer
from rich.live import Live

from castline.library import Library
from castline.tagging.values import Run, Worker
from castline.text import format_time
from cli.console import Json, RunNumber, make_table, print_json, print_table, say, say_lines
from cli.terminal import stdout

WATCH_SECONDS = 1.0
"""Interval of `status --watch`."""


def add_commands(app: typer.Typer) -> None:
    """Add this group's commands."""
    app.command()(status)
    app.command()(cancel)
    app.command()(retry)


def status(
    context: typer.Context,
    watch: Annotated[bool, typer.Option(help="Refresh every second until Ctrl-C.")] = False,
    as_json: Json = False,
) -> None:
    """Show the progress of every run, and the errors of those that failed.

    Example: castline status --watch
    """
    library: Library = context.obj
    if watch and stdout.is_terminal and not as_json:
        _watch(library)
        return
    runs = library.runs()
    if as_json:
        print_json(runs.to_dicts())
    elif runs:
        print_table(_COLUMNS, _run_rows(runs), numbers=_NUMBERS)
        for line in (*library.absent_models(), *_lacking(runs), *_at_work(library.workers())):
            say(line)
    else:
        say("No runs yet; run: castline tag EPISODE")


def cancel(context: typer.Context, run: RunNumber) -> None:
    """Stop a run; its extracted frames and tags are kept for a retry.

    Example: castline cancel 7
    """
    library: Library = context.obj
    state, was_open = library.cancel(run)
    say(f"Run {run} is {state}." if was_open else f"Run {run} had ended already: it is {state}.")
    say_lines(library.shown_instead(run))


def retry(context: typer.Context, run: RunNumber) -> None:
    """Queue the unfinished work of a cancelled, failed or partial run again.

    Example: castline retry 7
    """
    library: Library = context.obj
    state, offered = library.retry(run)
    if offered:
        say(f"Run {run}: {offered} of its chunks offered again; run: castline worker --until-idle")
    else:
        say(f"Run {run} is {state}: it has no unfinished work to retry.")
    say_lines(library.shown_instead(run))


def describe_missing(run: Run) -> str:
    """Format the missing ranges of a run."""
    return ", ".join(
        f"{format_time(start)} to {format_time(end)}" for start, end in run.missing_seconds
    )


def describe_part(run: Run) -> str:
    """The range that a run over a part of an episode examined, for people."""
    start, end = run.examined_seconds
    return f"{format_time(start)} to {format_time(end)}"


_COLUMNS = (
    *("run", "episode", "model", "every s", "state", "chunks", "frames", "most time", "missing"),
    "error",
)
_NUMBERS = "run chunks frames"


def _watch(library: Library) -> None:
    with Live(console=stdout, auto_refresh=False) as live:
        while True:
            # Open runs first, then the latest: a window shows only the first rows.
            runs = sorted(library.runs(), key=lambda run: (not run.is_open, -run.id))
            rows = _run_rows(runs[: max(stdout.height - 2, 1)])
            live.update(make_table(_COLUMNS, rows, _NUMBERS), refresh=True)
            time.sleep(WATCH_SECONDS)


def _run_rows(runs: Iterable[Run]) -> list[tuple[str, ...]]:
    return [
        (
            str(run.id),
            run.episode,
            run.model,
            str(float(run.every_seconds)),
            _state(run) + (f", of {describe_part(run)}" if run.is_part else ""),
            f"{run.chunks_done}/{run.chunks_total}",
            str(run.frames) if run.ended_at else "",
            run.statistics.bottleneck or "",
            describe_missing(run),
            run.error or "",
        )
        for run in runs
    ]


def _state(run: Run) -> str:
    """A run's state, and whether somebody looks after it."""
    if run.is_open and not run.is_at_work:
        if run.lacks:
            return f"{run.state}, nobody at work"
        return "running, waiting" if run.state == "running" else run.state
    return run.state


def _lacking(runs: Sequence[Run]) -> Iterator[str]:
    """What to do about runs that wait for a worker that is not there."""
    waiting = [run for run in runs if run.lacks and not run.is_at_work]
    if waiting:
        lacks = {run.lacks for run in waiting}
        one = f" --queues {min(lacks)[0]}" if len(lacks) == 1 and len(min(lacks)) == 1 else ""
        what = "1 run waits" if len(waiting) == 1 else f"{len(waiting)} runs wait"
        yield f"{what}, and no worker is alive for that; run: castline worker{one}"


def _at_work(workers: Sequence[Worker]) -> Iterator[str]:
    """Who is alive."""
    for worker in workers:
        some = "" if worker.run_ids is None else f", on runs {_numbers(worker.run_ids)} alone"
        yield f"At work: {' and '.join(worker.steps)} on {worker.host}, process {worker.pid}{some}"


def _numbers(numbers: Sequence[int]) -> str:
    more = ", ..." if len(numbers) > 5 else ""
    return ", ".join(map(str, numbers[:5])) + more
