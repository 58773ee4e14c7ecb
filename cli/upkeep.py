"""Commands that maintain an installation: doctor, prune, db upgrade."""

from collections import Counter

import typer

from castline.library import Library
from castline.upkeep.pruning import Pruning
from cli.console import (
    DryRun,
    Json,
    Yes,
    answer,
    confirm_removal,
    megabytes,
    print_json,
    print_table,
    say,
    say_error,
)


def add_commands(app: typer.Typer) -> None:
    """Add this group's commands."""
    app.command()(doctor)
    app.command()(prune)
    database = typer.Typer(help="The database.", no_args_is_help=True)
    database.command("upgrade")(upgrade)
    app.add_typer(database, name="db")


def doctor(context: typer.Context, as_json: Json = False) -> None:
    """Check this installation, and say how to fix each problem.

    Example: castline doctor
    """
    library: Library = context.obj
    findings = library.check_up()
    if as_json:
        print_json(findings.to_dicts())
    for finding in () if as_json else findings:
        mark = "ok  " if finding.is_well else "FAIL"
        answer(f"{mark}  {finding.subject}: {finding.text}")
    if not all(finding.is_well for finding in findings):
        raise typer.Exit(1)


def prune(
    context: typer.Context,
    dry_run: DryRun = False,
    yes: Yes = False,
    as_json: Json = False,
) -> None:
    """Remove unreferenced runs, stored frames and models, after showing them.

    Current runs, unfinished work, one rollback and models newer than the one in use are kept.

    Example: castline prune --dry-run
    """
    library: Library = context.obj
    found = library.plan_pruning()
    if as_json:
        print_json(found.to_dict())
    else:
        _print_pruning(found)
    if found.is_empty:
        return
    if dry_run:
        say(_STAYS)
        return
    confirm_removal("prune", yes=yes)
    library.prune(found)
    say(f"Removed. {_STAYS}")


_STAYS = (
    "What is shown stays, and what one rollback would show; the runs come back only by castline tag"
    " and castline rerun."
)


def _print_pruning(found: Pruning) -> None:
    if found.is_empty:
        say("Nothing to remove: everything is in use.")
        return
    runs = Counter(run.model for run in found.runs)
    rows = [(f"runs by {model}", str(count), "") for model, count in sorted(runs.items())]
    if found.runs:
        rows.append(("  their tags", str(found.rows.tags), ""))
        rows.append(("  their appearances", str(found.rows.appearances), ""))
    rows.append(("stored frames, files", str(len(found.frames)), megabytes(found.frames_bytes)))
    rows.append(("models", str(len(found.model_sha256s)), megabytes(found.models_bytes)))
    rows += [(f"  {item.manifest.reference}, {item.folder}", "", "") for item in found.models]
    print_table(("to be removed", "count", "size"), rows, numbers="count size")


def upgrade(context: typer.Context) -> None:
    """Upgrade the database to this version's schema; other commands do so automatically.

    Example: castline db upgrade
    """
    library: Library = context.obj
    done = library.upgrade_database()
    say(f"{done.database}: {'upgraded' if done.was_changed else 'is up to date'}")
    if done.reader_error:
        say_error(done.reader_error)
