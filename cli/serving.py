"""The command that serves the pages and the API."""

import sys
from typing import TYPE_CHECKING, Annotated

import typer

from castline.errors import RequestError
from castline.library import Library
from cli.console import say

if TYPE_CHECKING:
    from web.server import Address


def add_commands(app: typer.Typer) -> None:
    """Add this group's commands."""
    app.command()(serve)


def serve(
    context: typer.Context,
    host: Annotated[
        str, typer.Option(help="Address to listen at; any but this machine's own needs a token.")
    ] = "127.0.0.1",
    port: Annotated[
        int, typer.Option(min=0, max=65535, help="Port to listen at; 0 for a free one.")
    ] = 8321,
    token: Annotated[
        bool, typer.Option("--token", help="Ask for the token on this machine, too.")
    ] = False,
) -> None:
    """Serve the library as pages and as an API, until Ctrl-C.

    Example: castline serve
    """
    try:
        from web.server import serve as serve_library
    except ModuleNotFoundError as error:
        if (error.name or "").partition(".")[0] in ("castline", "web"):
            raise
        raise RequestError(
            f"serve: {error.name} is not installed; run: python -m pip install 'castline[web]'"
        ) from error
    library: Library = context.obj
    serve_library(library, host=host, port=port, needs_token=token, on_start=_say_where)


def _say_where(address: "Address") -> None:
    """Print the link with the token for a person, and never into a log."""
    if address.token_file is None or sys.stderr.isatty():
        say(f"Open {address.link}")
    else:
        say(f"Open {address.url}?token=TOKEN with the content of {address.token_file}")
