"""The `castline` command: its groups of commands, and how errors end it."""

import sys
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Annotated, Any, Literal

import typer
from typer.core import TyperGroup
from typer.exceptions import TyperException

from castline.errors import CastlineError, RequestError, WorkError, as_castline_errors
from castline.library import Library
from castline.text import configure_logging, visible
from cli.console import escape_what_stdout_cannot_write, say_error, say_in_json
from cli.on_demand import CommandsOnDemand


@contextmanager
def _visible_usage_errors() -> Iterator[None]:
    """Escape arguments in usage errors: a shell may have put arbitrary file names there for `*`."""
    try:
        yield
    except TyperException as error:
        error.message = visible(error.message)
        raise


class _Commands(TyperGroup):
    """All commands; errors in options and arguments are printed like all other errors."""

    def __init__(self, **options: Any) -> None:
        super().__init__(**options | {"commands": CommandsOnDemand()})

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
        from importlib.metadata import version as installed_version

        typer.echo(f"castline {installed_version('castline')}")
        raise typer.Exit


@app.callback()
def start(
    context: typer.Context,
    home: Annotated[
        Path | None,
        typer.Option(
            help="Folder with all state; default CASTLINE_HOME, else the user's data folder."
        ),
    ] = None,
    log_format: Annotated[
        Literal["json", "text"] | None,
        typer.Option(help="Format of the log on stderr; default CASTLINE_LOG_FORMAT."),
    ] = None,
    version: Annotated[
        bool,
        typer.Option(
            "--version", callback=_show_version, is_eager=True, help="Print the version and exit."
        ),
    ] = False,
) -> None:
    """Who is on screen when: turns episodes of animated series into a timeline."""
    library = Library.at(home, log_format)
    context.obj = context.with_resource(library)
    configure_logging(library.settings.log_format)
    say_in_json(library.settings.log_format == "json")


def main() -> None:
    """Run the command; an expected error becomes one line on stderr and exit code 1."""
    escape_what_stdout_cannot_write()
    say_in_json(False)
    try:
        with as_castline_errors():
            app()
    except CastlineError as error:
        say_error(error)
        sys.exit(1)
    except OSError as error:
        say_error(_system_error(error))
        sys.exit(1)
    except MemoryError:
        say_error(WorkError("no memory is left; end other programs, or give this one more"))
        sys.exit(1)


def _system_error(error: OSError) -> RequestError:
    """Describe an error of the operating system, which names no remedy."""
    what = error.strerror or str(error)
    if error.filename is None:
        return RequestError(f"{what}; run: castline doctor")
    return RequestError(f"{error.filename}: {what}; check the name, its folder and the rights")
