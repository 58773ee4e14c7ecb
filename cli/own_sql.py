"""For people with questions of their own: sql, snapshot."""

import math
from pathlib import Path
from typing import Annotated, Any

import typer

from cli.console import Json, print_json, print_table, say
from db.reading import Answer, select_rows
from db.snapshot import write_snapshot
from timeline.files import check_free, whole_file
from worker.workplace import open_workplace

READ_ONLY = 0o444
"""The snapshot's rights: what is changed in it would be lost with the next."""


def add_commands(app: typer.Typer) -> None:
    """Adds this group's commands."""
    app.command()(sql)
    app.command()(snapshot)


def sql(
    context: typer.Context,
    statement: Annotated[
        str, typer.Argument(help="One SELECT; docs/data-model.md has the tables.")
    ],
    as_json: Json = False,
) -> None:
    """Answer a SELECT of your own; it can change nothing, and may take half a minute.

    Example: castline sql 'SELECT label, count(*) FROM timeline GROUP BY label'
    """
    with open_workplace(context.obj) as place:
        answer = select_rows(place.database, statement, url=place.settings.sql_url)
    if as_json:
        print_json(
            [dict(zip(answer.columns, map(_plain, row), strict=True)) for row in answer.rows]
        )
    else:
        print_table(answer.columns, [_texts(row) for row in answer.rows], numbers=_numbers(answer))


def snapshot(
    context: typer.Context,
    output: Annotated[Path, typer.Option("--output", "-o", help="A SQLite file to make.")],
    force: Annotated[bool, typer.Option("--force", help="Replace the file if it exists.")] = False,
) -> None:
    """Write the timeline of all episodes into a SQLite file that other tools open.

    Example: castline snapshot -o timeline.db
    """
    check_free(output, force)
    with (
        open_workplace(context.obj) as place,
        place.database.read() as connection,
        whole_file(output) as temporary,
    ):
        write_snapshot(connection, temporary)
        temporary.chmod(READ_ONLY)
    say(f"Wrote {output}")


def _plain(value: Any) -> Any:
    """A value that JSON has; others, as moments and infinite numbers, as text; bytes in hex."""
    if isinstance(value, bytes):
        return value.hex()
    if isinstance(value, float):
        return value if math.isfinite(value) else str(value)
    return value if value is None or isinstance(value, bool | int | str) else str(value)


def _texts(row: tuple[Any, ...]) -> tuple[str, ...]:
    return tuple("" if value is None else str(value) for value in row)


def _numbers(answer: Answer) -> str:
    """The columns that hold numbers alone, as `print_table` takes them."""
    return " ".join(
        name
        for place, name in enumerate(answer.columns)
        if answer.rows and all(isinstance(row[place], int | float | None) for row in answer.rows)
    )
