"""Commands for queries of your own: sql, snapshot."""

import math
import os
import threading
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import Annotated, Any

import typer

from castline.asking.own_sql import LONGEST_SECONDS, Answer
from castline.errors import DatabaseError
from castline.library import Library
from cli.console import Json, print_json, print_table, print_text, say, say_error
from cli.tagging.report import EXIT_FAILED


def add_commands(app: typer.Typer) -> None:
    """Add this group's commands."""
    app.command()(sql)
    app.command()(snapshot)


def sql(
    context: typer.Context,
    statement: Annotated[
        str, typer.Argument(help="One SELECT; docs/reference/data-model.md has the tables.")
    ],
    as_json: Json = False,
    as_csv: Annotated[bool, typer.Option("--csv", help="Print CSV instead of a table.")] = False,
) -> None:
    """Run a SELECT of your own, read-only and limited to half a minute.

    Example: castline sql 'SELECT label, count(*) FROM timeline GROUP BY label'
    """
    if as_json and as_csv:
        raise typer.BadParameter("give one of --json and --csv")
    library: Library = context.obj
    library.connect()
    with _ended_after(LONGEST_SECONDS):
        answer = library.sql(statement)
    if as_json:
        _check_names(answer.columns)
        print_json(
            [dict(zip(answer.columns, map(_plain, row), strict=True)) for row in answer.rows]
        )
    elif as_csv:
        print_text(answer.to_csv())
    else:
        print_table(answer.columns, [_texts(row) for row in answer.rows], numbers=_numbers(answer))


def snapshot(
    context: typer.Context,
    output: Annotated[Path, typer.Option("--output", "-o", help="The SQLite file to write.")],
    force: Annotated[bool, typer.Option("--force", help="Replace an existing file.")] = False,
) -> None:
    """Write the timeline of all episodes into a SQLite file that other tools open.

    Example: castline snapshot -o timeline.db
    """
    library: Library = context.obj
    library.snapshot(output, force=force)
    say(f"Wrote {output}")


@contextmanager
def _ended_after(seconds: float) -> Iterator[None]:
    """End this process, which only reads, if the block does not end in time."""

    def end() -> None:
        why = f"no answer within {seconds:g} s"
        say_error(
            DatabaseError(f"{why}; ask for less, or end the process that holds the database's lock")
        )
        os._exit(EXIT_FAILED)

    timer = threading.Timer(seconds, end)
    timer.daemon = True
    timer.start()
    try:
        yield
    finally:
        timer.cancel()


def _check_names(columns: Sequence[str]) -> None:
    """Refuse duplicate column names, of which JSON would keep only the last."""
    for name in columns:
        if columns.count(name) > 1:
            raise DatabaseError(f"two columns are called {name}; name one of them with AS")


def _plain(value: Any) -> Any:
    """Convert a value for JSON: dates and infinite numbers become text, bytes become hex."""
    if isinstance(value, bytes):
        return value.hex()
    if isinstance(value, float):
        return value if math.isfinite(value) else str(value)
    return value if value is None or isinstance(value, bool | int | str) else str(value)


def _texts(row: tuple[Any, ...]) -> tuple[str, ...]:
    return tuple("" if value is None else str(value) for value in row)


def _numbers(answer: Answer) -> str:
    """Return the columns that contain only numbers, in the form that `print_table` takes."""
    return " ".join(
        name
        for place, name in enumerate(answer.columns)
        if answer.rows and all(isinstance(row[place], int | float | None) for row in answer.rows)
    )
