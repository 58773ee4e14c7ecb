"""Running a model again over what is known: all of it, what is missing, what is out of date."""

import time
from collections.abc import Sequence
from datetime import UTC, datetime
from typing import TYPE_CHECKING, Annotated, Any

import typer

from cli.console import Json, answer, print_json, print_table, require_episode, say
from cli.report import describe_end, exit_code, say_effort
from cli.runs import run_json
from cli.tagging import Device, Workers, work_on
from db.current import ENDED_STATES, make_current
from db.records import RunRecord
from db.runs import list_runs
from timeline.times import format_time
from worker.rates import Rates, measured_rates
from worker.workplace import Workplace, open_workplace

if TYPE_CHECKING:
    from model.artifact import ModelVersion
    from worker.rerun import Rerun, Which


def add_commands(app: typer.Typer) -> None:
    """Adds this group's commands."""
    app.command()(rerun)


def rerun(
    context: typer.Context,
    episodes: Annotated[
        list[str] | None, typer.Argument(help="Only these; default every episode.")
    ] = None,
    missing: Annotated[
        bool, typer.Option("--missing", help="Episodes without a run that is done.")
    ] = False,
    stale: Annotated[
        bool,
        typer.Option("--stale", help="Those shown by another model or with other parameters."),
    ] = False,
    everything: Annotated[bool, typer.Option("--all", help="Every episode.")] = False,
    model: Annotated[
        str | None,
        typer.Option(help="NAME or NAME@VERSION, to run beside what is shown; default: in use."),
    ] = None,
    dry_run: Annotated[
        bool, typer.Option("--dry-run", help="Say what would run and for how long; run nothing.")
    ] = False,
    since: Annotated[
        datetime | None,
        typer.Option(formats=["%Y-%m-%d"], help="Only episodes added on this day (UTC) or later."),
    ] = None,
    workers: Workers = None,
    device: Device = "auto",
    as_json: Json = False,
) -> None:
    """Run the model in use again, from the frames that are stored: nothing is decoded twice.

    Each episode shows its old run until the new one is whole. What is done already is not run
    again; interrupted, the same command goes on where it stopped.

    Example: castline rerun --stale --dry-run
    """
    from worker.promoting import chosen_model, sha256_in_use
    from worker.rerun import plan_reruns

    which = _which(missing=missing, stale=stale, everything=everything)
    with open_workplace(context.obj) as place:
        version = chosen_model(place, model)
        with place.database.read() as connection:
            wanted = {require_episode(connection, name).id for name in episodes or []} or None
            rates = measured_rates(list_runs(connection))
        added = since.replace(tzinfo=UTC) if since else None
        plan = plan_reruns(place, version, which, wanted, added)
        if dry_run:
            _print_plan(plan, rates, version, as_json=as_json)
            return
        runs = _run(place, plan, version, workers, device)
        if as_json:
            print_json([run_json(place, run) for run in runs])
        else:
            _print_runs(runs, version, is_in_use=version.sha256 == sha256_in_use(place))
    raise typer.Exit(exit_code(runs))


def _which(*, missing: bool, stale: bool, everything: bool) -> "Which":
    given = {"missing": missing, "stale": stale, "all": everything}
    chosen = [name for name, is_given in given.items() if is_given]
    if len(chosen) != 1:
        raise typer.BadParameter("give one of --missing, --stale and --all")
    return chosen[0]  # type: ignore[return-value] # these are the names


def _run(
    place: Workplace,
    plan: Sequence["Rerun"],
    version: "ModelVersion",
    workers: int | None,
    device: str,
) -> list[RunRecord]:
    from worker.promoting import hold_what_is_shown, sha256_in_use
    from worker.rerun import enqueue_rerun
    from worker.run_models import keep_model

    if not plan:
        return []
    keep_model(place.settings, version)
    if version.sha256 != sha256_in_use(place):
        hold_what_is_shown(place)
    runs = [enqueue_rerun(place, item, version) for item in plan]
    run_ids = tuple(run.id for run in runs)
    began = time.monotonic()
    if any(run.is_open for run in runs):
        work_on(place, workers, device, run_ids, version.sha256)
        say(f"Worked for {time.monotonic() - began:.1f} s.")
        say_effort(place, runs)
    for run_id in run_ids:  # those that were done before, too
        with place.database.write() as connection:
            make_current(connection, run_id)
    with place.database.read() as connection:
        return list_runs(connection, run_ids)


def _print_runs(runs: Sequence[RunRecord], version: "ModelVersion", *, is_in_use: bool) -> None:
    for run in runs:
        decoded = f"{run.frames_decoded} frames decoded" if run.frames_decoded else "none decoded"
        answer(f"{describe_end(run)}; {decoded}")
    if not runs:
        say("Nothing to run again.")
    hidden = sum(run.state in ENDED_STATES and not run.is_current for run in runs)
    reference = version.manifest.reference
    if hidden and is_in_use:
        say(
            f"{hidden} of these runs are not shown: runs of a model newer than {reference}, or with"
            " nothing missing, stay shown"
        )
    elif hidden:
        say(
            f"{hidden} of these runs are not shown: {reference} is not the model in use; see"
            f" castline models compare, then castline models promote {reference}"
        )


def _print_plan(
    plan: Sequence["Rerun"], rates: Rates, version: "ModelVersion", *, as_json: bool
) -> None:
    if as_json:
        print_json([_plan_json(item, rates, version) for item in plan])
        return
    if not plan:
        say("Nothing to run again.")
        return
    seconds = [_seconds(item, rates) for item in plan]
    print_table(
        ("episode", "why", "frames", "from", "takes about"),
        [
            (
                item.episode.name,
                item.reason,
                f"{item.frames:.0f}",
                _source(item),
                "" if about is None else format_time(about),
            )
            for item, about in zip(plan, seconds, strict=True)
        ],
        numbers="frames",
    )
    known = [about for about in seconds if about is not None]
    total = f"about {format_time(sum(known))}" if known else "no earlier run to measure from"
    say(f"{len(plan)} episodes with {version.manifest.reference}: {total}")


def _seconds(item: "Rerun", rates: Rates) -> float | None:
    return 0.0 if item.is_done else rates.seconds_for(item.frames, is_stored=item.is_stored)


def _source(item: "Rerun") -> str:
    if item.is_done:
        return "done before"
    return "frame store" if item.is_stored else "episode file"


def _plan_json(item: "Rerun", rates: Rates, version: "ModelVersion") -> dict[str, Any]:
    return {
        "episode": item.episode.name,
        "sha256": item.episode.sha256,
        "model": version.manifest.reference,
        "reason": item.reason,
        "run": item.run.id if item.run else None,
        "is_done": item.is_done,
        "is_stored": item.is_stored,
        "frames": round(item.frames),
        "seconds": _seconds(item, rates),
    }
