"""Write the reference of all commands into its page, from the commands themselves."""

import re
from typing import Any

import typer
from typer.cli import get_docs_for_click

from cli.main import app

PAGE = "reference/commands.md"
PLACE = "<!-- every command -->"


def on_page_markdown(markdown: str, *, page: Any, **_: Any) -> str:
    """Put the usage, arguments and options of every command in their place.

    Raises:
        ValueError: The page has no such place.
    """
    if page.file.src_uri != PAGE:
        return markdown
    if PLACE not in markdown:
        raise ValueError(f"docs/{PAGE}: no line {PLACE!r} for the commands")
    command = typer.main.get_command(app)
    written = get_docs_for_click(obj=command, ctx=typer.Context(command), name="castline", indent=1)
    # `dataset build` stands beside `dataset` in the table of contents, without `castline` in front
    return markdown.replace(
        PLACE, re.sub(r"^#{3,4} `castline ", "### `", written, flags=re.MULTILINE)
    )
