"""The command that runs a model again over episodes: all, missing or stale ones."""

from datetime import datetime
from typing import Annotated

import typer

from castline import Device
from castline.library import Library
from castline.tagging.rerun import Plan, PlannedRun, Reran
from castline.tagging.rerun_plan import Which
from castline.text import format_time
from cli.console import Json, answer, print_json, print_table, say, say_lines
from cli.tagging.report import describe_end, exit_code, say_statistics
from cli.tagging.work import DeviceOption, Workers, working


def add_commands(app: typer.Typer) -> None:
    """Add this group's commands."""
    app.command()(rerun)


def rerun(
    context: typer.Context,
    episodes: Annotated[
        list[str] | None, typer.Argument(help="Only these episodes; default all.")
    ] = None,
    missing: Annotated[
        bool, typer.Option("--missing", help="Run on episodes without a finished run.")
    ] = False,
    stale: Annotated[
        bool,
        typer.Option(
            "--stale",
            help="Run on episodes whose current run has another model or other parameters.",
        ),
    ] = False,
    everything: Annotated[bool, typer.Option("--all", help="Run on every episode.")] = False,
    model: Annotated[
        str | None,
        typer.Option(help="NAME or NAME@VERSION, run without becoming current; default: in use."),
    ] = None,
    dry_run: Annotated[
        bool,
        typer.Option("--dry-run", help="Only show what would run, and how long it would take."),
    ] = False,
    since: Annotated[
        datetime | None,
        typer.Option(formats=["%Y-%m-%d"], help="Only episodes added on this day (UTC) or later."),
    ] = None,
    workers: Workers = None,
    device: DeviceOption = Device.AUTO,
    as_json: Json = False,
) -> None:
    """Run the model in use again on the stored frames: nothing is decoded twice.

    Each episode shows its old run until the new one is complete. Finished runs are not repeated; if
    interrupted, the same command continues.

    Example: castline rerun --stale --dry-run
    """
    which = _which(missing=missing, stale=stale, everything=everything)
    library: Library = context.obj
    if dry_run:
        plan = library.plan_rerun(which, episodes or [], model=model, since=since)
        _print_plan(plan, as_json=as_json)
        return
    with working() as hooks:
        reran = library.rerun(
            which,
            episodes or [],
            model=model,
            since=since,
            workers=workers,
            device=device,
            hooks=hooks,
        )
    if reran.seconds is not None:
        say(f"Worked for {reran.seconds:.1f} s.")
        say_statistics(reran.rows)
    if as_json:
        print_json(reran.to_dicts())
    else:
        _print_runs(reran)
    say_lines(reran.shown)
    raise typer.Exit(exit_code(reran.rows, reran.refused))


def _which(*, missing: bool, stale: bool, everything: bool) -> Which:
    given = {"missing": missing, "stale": stale, "all": everything}
    chosen = [name for name, is_given in given.items() if is_given]
    if len(chosen) != 1:
        raise typer.BadParameter("give one of --missing, --stale and --all")
    return chosen[0]  # type: ignore[return-value] # these are the names


def _print_runs(reran: Reran) -> None:
    for run in reran:
        decoded = f"{run.frames_decoded} frames decoded" if run.frames_decoded else "none decoded"
        answer(f"{describe_end(run)}; {decoded}")
    if not reran:
        say("Nothing to run again.")


def _print_plan(plan: Plan, *, as_json: bool) -> None:
    if as_json:
        print_json(plan.to_dicts())
        return
    if not plan:
        say("Nothing to run again.")
        return
    print_table(
        ("episode", "why", "frames", "from", "takes about"),
        [
            (
                item.episode,
                item.reason,
                str(item.frames),
                _source(item),
                "" if item.seconds is None else format_time(item.seconds),
            )
            for item in plan
        ],
        numbers="frames",
    )
    known = [item.seconds for item in plan if item.seconds is not None]
    total = f"about {format_time(sum(known))}" if known else "no earlier run to measure from"
    say(f"{len(plan)} episodes with {plan.model}: {total}")


def _source(item: PlannedRun) -> str:
    if item.is_done:
        return "done before"
    if item.is_gone:
        return "gone: castline episodes locate FOLDER"
    return "frame store" if item.is_stored else "episode file"
