"""The queue: status, cancel, retry."""

import time
from collections.abc import Sequence
from typing import Annotated, Any

import typer
from rich.live import Live

from cli.console import Json, RunNumber, make_table, print_json, print_table, say
from cli.terminal import stdout
from db.effort import STAGES, RunEffort, run_efforts
from db.records import RunRecord
from db.runs import get_run, list_runs, quarantined_chunks
from db.writes import cancel_run, retry_run
from timeline.times import format_time
from worker.parameters import RunParameters
from worker.run_models import absent_models
from worker.workplace import Workplace, open_workplace

WATCH_SECONDS = 1.0
"""Between two looks of `status --watch`."""


def add_commands(app: typer.Typer) -> None:
    """Adds this group's commands."""
    app.command()(status)
    app.command()(cancel)
    app.command()(retry)


def status(
    context: typer.Context,
    watch: Annotated[bool, typer.Option(help="Look again each second until Ctrl-C.")] = False,
    as_json: Json = False,
) -> None:
    """Say how far every run is, and what is wrong with those that went wrong.

    Example: castline status --watch
    """
    with open_workplace(context.obj) as place:
        if watch and stdout.is_terminal and not as_json:
            _watch(place)
            return
        runs = _runs(place)
        if as_json:
            print_json([run_json(place, run) for run in runs])
        elif runs:
            print_table(_COLUMNS, _run_rows(place, runs), numbers=_NUMBERS)
            for line in absent_models(place.settings, runs):
                say(line)
        else:
            say("No runs yet; run: castline tag EPISODE")


def cancel(context: typer.Context, run: RunNumber) -> None:
    """Stop a run; what it has extracted and tagged so far is kept for a retry.

    Example: castline cancel 7
    """
    with open_workplace(context.obj) as place, place.database.write() as connection:
        was_open = get_run(connection, run).is_open
        state = cancel_run(connection, run)
    say(f"Run {run} is {state}." if was_open else f"Run {run} had ended already: it is {state}.")


def retry(context: typer.Context, run: RunNumber) -> None:
    """Offer again what a cancelled, failed or partial run left undone.

    Example: castline retry 7
    """
    with open_workplace(context.obj) as place, place.database.write() as connection:
        offered = retry_run(connection, run)
        state = get_run(connection, run).state
    if offered:
        say(f"Run {run}: {offered} of its chunks offered again; run: castline worker --until-idle")
    else:
        say(f"Run {run} is {state}: it left nothing undone that could be tried again.")


def describe_missing(run: RunRecord) -> str:
    """The missing ranges of a run, for people."""
    return ", ".join(
        f"{format_time(start)} to {format_time(end)}" for start, end in run.missing_seconds
    )


_COLUMNS = (
    *("run", "episode", "model", "every s", "state", "chunks", "frames", "most time", "missing"),
    "error",
)
_NUMBERS = "run chunks frames"


def _runs(place: Workplace) -> list[RunRecord]:
    with place.database.read() as connection:
        return list_runs(connection)


def _watch(place: Workplace) -> None:
    with Live(console=stdout, auto_refresh=False) as live:
        while True:
            # What is under way first, then the latest: a window shows only the first rows.
            runs = sorted(_runs(place), key=lambda run: (not run.is_open, -run.id))
            rows = _run_rows(place, runs[: max(stdout.height - 2, 1)])
            live.update(make_table(_COLUMNS, rows, _NUMBERS), refresh=True)
            time.sleep(WATCH_SECONDS)


def _run_rows(place: Workplace, runs: Sequence[RunRecord]) -> list[tuple[str, ...]]:
    with place.database.read() as connection:
        efforts = run_efforts(connection)
    return [_run_row(run, efforts.get(run.id, RunEffort())) for run in runs]


def _run_row(run: RunRecord, effort: RunEffort) -> tuple[str, ...]:
    return (
        str(run.id),
        run.episode,
        run.model,
        str(float(RunParameters.from_json(run.params).every_seconds)),
        f"{run.state}, nobody at work" if run.state == "running" and not run.claimed else run.state,
        f"{run.chunks_done}/{run.chunks_total}",
        str(run.frames) if run.ended_at else "",
        effort.bottleneck or "",
        describe_missing(run),
        run.error or "",
    )


def run_json(place: Workplace, run: RunRecord) -> dict[str, Any]:
    """A run as `status --json` and `tag --json` print it."""
    with place.database.read() as connection:
        quarantined = quarantined_chunks(connection, run.id)
        effort = run_efforts(connection, [run.id]).get(run.id, RunEffort())
    return {
        "run": run.id,
        "episode": run.episode,
        "model": run.model,
        "state": run.state,
        "is_current": run.is_current,
        "chunks_done": run.chunks_done,
        "chunks_total": run.chunks_total,
        "frames": run.frames,
        "frames_decoded": run.frames_decoded,
        "decode_errors": run.decode_errors,
        "seconds": {name: getattr(effort, name) for name in STAGES},
        "bottleneck": effort.bottleneck,
        "batch_fill": effort.batch_fill,
        "missing_seconds": [list(item) for item in run.missing_seconds],
        "error": run.error,
        "queued_at": run.queued_at.isoformat(),
        "started_at": run.started_at.isoformat() if run.started_at else None,
        "ended_at": run.ended_at.isoformat() if run.ended_at else None,
        "quarantined": [
            {
                "start_seconds": item.start_seconds,
                "end_seconds": item.end_seconds,
                "attempts": item.attempts,
                "error": item.error,
            }
            for item in quarantined
        ],
    }
