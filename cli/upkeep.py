"""Keeping an installation well: doctor, prune, db upgrade."""

import sys
from collections import Counter
from dataclasses import asdict
from typing import TYPE_CHECKING, Annotated, Any

import typer

from cli.console import Json, answer, print_json, print_table, say, say_error
from db.engine import Database
from db.errors import DatabaseError
from db.reader_role import make_reader
from db.upgrade import upgrade_database
from worker.checkup import check_installation
from worker.errors import WorkerError
from worker.settings import Settings
from worker.workplace import open_workplace

if TYPE_CHECKING:
    from worker.pruning import Pruning


def add_commands(app: typer.Typer) -> None:
    """Adds this group's commands."""
    app.command()(doctor)
    app.command()(prune)
    database = typer.Typer(help="The database.", no_args_is_help=True)
    database.command("upgrade")(upgrade)
    app.add_typer(database, name="db")


def doctor(context: typer.Context, as_json: Json = False) -> None:
    """Check this installation, and say what to do about what is wrong.

    Example: castline doctor
    """
    findings = check_installation(context.obj)
    if as_json:
        print_json([asdict(finding) for finding in findings])
    for finding in () if as_json else findings:
        mark = "ok  " if finding.is_well else "FAIL"
        answer(f"{mark}  {finding.subject}: {finding.text}")
    if not all(finding.is_well for finding in findings):
        raise typer.Exit(1)


def prune(
    context: typer.Context,
    dry_run: Annotated[
        bool, typer.Option("--dry-run", help="Only show what would be removed.")
    ] = False,
    yes: Annotated[bool, typer.Option("--yes", help="Remove it without asking.")] = False,
    as_json: Json = False,
) -> None:
    """Remove runs, stored frames and models that nothing refers to, after showing them.

    What queries see, work that is left, one rollback and models newer than the one in use stay.

    Example: castline prune --dry-run
    """
    from worker.pruning import plan_pruning
    from worker.pruning import prune as remove

    with open_workplace(context.obj) as place:
        found = plan_pruning(place)
        if as_json:
            print_json(_pruning_json(found))
        else:
            _print_pruning(found)
        if dry_run or found.is_empty:
            return
        if not yes:
            if not sys.stdin.isatty():
                raise WorkerError("prune: nothing was removed; say that it may be, with --yes")
            typer.confirm("Remove all this?", abort=True, err=True)
        remove(place, found)
    say("Removed.")


def _print_pruning(found: "Pruning") -> None:
    if found.is_empty:
        say("Nothing to remove: something refers to all that is here.")
        return
    runs = Counter(run.model for run in found.runs)
    rows = [(f"runs by {model}", str(count), "") for model, count in sorted(runs.items())]
    if found.runs:
        rows.append(("  their tags", str(found.rows.tags), ""))
        rows.append(("  their appearances", str(found.rows.appearances), ""))
    rows.append(("stored frames, files", str(len(found.frames)), _megabytes(found.frames_bytes)))
    rows.append(("models", str(len(found.model_sha256s)), _megabytes(found.models_bytes)))
    rows += [(f"  {item.manifest.reference}, {item.folder}", "", "") for item in found.models]
    print_table(("what nothing refers to", "count", "size"), rows, numbers="count size")


def _megabytes(count: int) -> str:
    return f"{count / 1e6:.1f} MB"


def _pruning_json(found: "Pruning") -> dict[str, Any]:
    return {
        "runs": [
            {"run": run.id, "episode": run.episode, "model": run.model, "state": run.state}
            for run in found.runs
        ],
        "tags": found.rows.tags,
        "appearances": found.rows.appearances,
        "frames": len(found.frames),
        "frames_bytes": found.frames_bytes,
        "models": [
            {"model": item.manifest.reference, "folder": str(item.folder)} for item in found.models
        ],
        "models_bytes": found.models_bytes,
    }


def upgrade(context: typer.Context) -> None:
    """Bring the database to this version's schema; other commands do so by themselves.

    Example: castline db upgrade
    """
    settings: Settings = context.obj
    database = Database(settings.database_url)
    try:
        changed = upgrade_database(database)
        say(f"{database.shown_url}: {'upgraded' if changed else 'is up to date'}")
        if not database.is_sqlite and not settings.sql_url:
            _make_reader(database)
    finally:
        database.dispose()


def _make_reader(database: Database) -> None:
    """Makes the role of `castline sql`; all else goes on without it."""
    try:
        make_reader(database)
    except DatabaseError as error:
        say_error(error)
