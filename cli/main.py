"""The `castline` command: its groups of commands, and how errors end it."""

import sys
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import replace
from importlib.metadata import version as installed_version
from pathlib import Path
from typing import Annotated, Any, Literal

import typer
from typer.core import TyperGroup
from typer.exceptions import TyperException

from cli import (
    asking,
    composing,
    datasets,
    demo,
    exporting,
    meeting,
    models,
    own_sql,
    rerunning,
    runs,
    scoring,
    tagging,
    training,
    upkeep,
)
from cli.console import escape_what_stdout_cannot_write, say_error, say_in_json
from db.errors import DatabaseError
from ingest.errors import IngestError
from model.errors import ModelError
from timeline.errors import TimelineError
from worker.errors import WorkerError
from worker.log import configure_logging
from worker.settings import Settings
from worker.visible import visible

EXPECTED_ERRORS = (DatabaseError, IngestError, ModelError, TimelineError, WorkerError)
"""Errors whose message is one line for the person at the terminal."""


@contextmanager
def _visible_usage_errors() -> Iterator[None]:
    """What was typed, or what the shell put there for `*`, is part of what is printed."""
    try:
        yield
    except TyperException as error:
        error.message = visible(error.message)
        raise


class _Commands(TyperGroup):
    """All commands; what is wrong with their options and arguments is shown as other lines are."""

    def make_context(self, *arguments: Any, **options: Any) -> Any:
        with _visible_usage_errors():
            return super().make_context(*arguments, **options)

    def invoke(self, *arguments: Any, **options: Any) -> Any:
        with _visible_usage_errors():
            return super().invoke(*arguments, **options)


app = typer.Typer(
    cls=_Commands,
    help="Who is on screen when: turns episodes of animated series into a timeline.",
    no_args_is_help=True,
    pretty_exceptions_enable=False,
    context_settings={"help_option_names": ["-h", "--help"]},
)


def _show_version(wanted: bool) -> None:
    if wanted:
        typer.echo(f"castline {installed_version('castline')}")
        raise typer.Exit


@app.callback()
def start(
    context: typer.Context,
    home: Annotated[
        Path | None,
        typer.Option(help="Folder with all state; default CASTLINE_HOME, else the user's data."),
    ] = None,
    log_format: Annotated[
        Literal["json", "text"] | None,
        typer.Option(help="Write a log of the work to stderr; default CASTLINE_LOG_FORMAT."),
    ] = None,
    version: Annotated[
        bool,
        typer.Option("--version", callback=_show_version, is_eager=True, help="Print and exit."),
    ] = False,
) -> None:
    """Who is on screen when: turns episodes of animated series into a timeline."""
    settings = Settings.from_environment(home)
    context.obj = replace(settings, log_format=log_format or settings.log_format)
    configure_logging(context.obj.log_format)
    say_in_json(context.obj.log_format == "json")


for group in (
    demo,
    tagging,
    runs,
    rerunning,
    asking,
    meeting,
    own_sql,
    exporting,
    scoring,
    composing,
    datasets,
    training,
    models,
    upkeep,
):
    group.add_commands(app)


def main() -> None:
    """Runs the command; an expected error becomes one line on stderr and exit code 1."""
    escape_what_stdout_cannot_write()
    say_in_json(False)
    try:
        app()
    except EXPECTED_ERRORS as error:
        say_error(error)
        sys.exit(1)
    except OSError as error:
        say_error(_system_error(error))
        sys.exit(1)
    except MemoryError:
        say_error(WorkerError("no memory is left; end other programs, or give this one more"))
        sys.exit(1)


def _system_error(error: OSError) -> WorkerError:
    """What the system refuses, which names no remedy."""
    what = error.strerror or str(error)
    if error.filename is None:
        return WorkerError(f"{what}; run: castline doctor")
    return WorkerError(f"{error.filename}: {what}; check the name, its folder and the rights")
