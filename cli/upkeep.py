"""Keeping an installation well: doctor, db upgrade."""

from dataclasses import asdict

import typer

from cli.console import Json, print_json, say, stdout
from db.engine import Database
from db.upgrade import upgrade_database
from worker.checkup import check_installation


def add_commands(app: typer.Typer) -> None:
    """Adds this group's commands."""
    app.command()(doctor)
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
        stdout.print(f"{mark}  {finding.subject}: {finding.text}", markup=False, soft_wrap=True)
    if not all(finding.is_well for finding in findings):
        raise typer.Exit(1)


def upgrade(context: typer.Context) -> None:
    """Bring the database to this version's schema; other commands do so by themselves.

    Example: castline db upgrade
    """
    database = Database(context.obj.database_url)
    try:
        changed = upgrade_database(database)
    finally:
        database.dispose()
    say(f"{database.shown_url}: {'upgraded' if changed else 'is up to date'}")
