"""Options and output that the commands share."""

import json
import logging
import sys
from collections.abc import Iterable, Sequence
from io import TextIOWrapper
from typing import Annotated, Any

import typer
from rich.cells import cell_len
from rich.table import Table as PrintedTable
from rich.text import Text

from castline.errors import ExpressionError, RequestError
from castline.tables import Row, Table
from castline.text import visible, visible_json, without_passwords
from cli.terminal import stderr, stdout

Json = Annotated[bool, typer.Option("--json", help="Print JSON instead of a table.")]
"""The option of every command that reads."""

LARGEST_INTEGER = 2**31 - 1
"""Largest value of a column or a limit that every database accepts."""

LARGEST_RUN = 2**63 - 1
"""Largest run number; the columns of run numbers are wider."""

LARGEST_SEED = 2**63 - 1
"""Largest seed that recipes and datasets accept."""

RunNumber = Annotated[
    int,
    typer.Argument(min=1, max=LARGEST_RUN, help="The run's number, as castline status shows it."),
]
"""The argument of commands that change a run."""

OfRun = Annotated[
    int | None,
    typer.Option("--run", min=1, max=LARGEST_RUN, help="Ask this run instead of the current ones."),
]
OfModel = Annotated[str | None, typer.Option("--model", help="Ask this model's own runs instead.")]
"""The options of every question about appearances."""

Raw = Annotated[
    bool, typer.Option("--raw", help="As the model found it, without what people said.")
]
"""The same."""

SkipRepeats = Annotated[
    bool,
    typer.Option(
        "--skip-repeats", help="Leave out openings and credits: castline episodes find-repeats."
    ),
]
"""The same."""

Limit = Annotated[
    int,  # one more row is requested, to find out whether there are more
    typer.Option(min=0, max=LARGEST_INTEGER - 1, help="Maximum number of rows; 0 for all."),
]
"""The option of commands whose answers may be very long."""

Season = Annotated[
    int | None,
    typer.Option(
        min=0, max=LARGEST_INTEGER, help="Only this season, if file names contain it (S05E12)."
    ),
]
Series = Annotated[str | None, typer.Option(help="Only this series: its name, or a part of it.")]
"""The options of questions about all episodes."""

EpisodeName = Annotated[
    str,
    typer.Argument(
        metavar="EPISODE",
        help="Name, part of it, path, 'Series S01E02', number or SHA-256.",
        show_default=False,
    ),
]
"""The argument of commands about one episode."""

DryRun = Annotated[bool, typer.Option("--dry-run", help="Only show what would be removed.")]
Yes = Annotated[bool, typer.Option("--yes", help="Remove it without asking.")]
"""The options of commands that remove something."""

DEFAULT_LIMIT = 100
"""Rows of an answer by default: as many as a person reads, found quickly in any library."""

LONGEST_ERROR = 2000
"""Characters of an error's line. Of a longer one, such as one that quotes a line of a megabyte,
both ends are shown, for the last words say what to do."""

PLAIN_WIDTH = 160
"""Columns of a table written to a file or a pipe, where there is no window to fit."""


def escape_what_stdout_cannot_write() -> None:
    """Show characters that stdout's encoding lacks as escapes, as stderr does anyway."""
    if isinstance(sys.stdout, TextIOWrapper):
        sys.stdout.reconfigure(errors="backslashreplace")


def make_table(
    columns: Sequence[str], rows: Sequence[Sequence[str]], numbers: str = ""
) -> PrintedTable:
    """Build a table whose cells are shown literally: a file's name may look like markup.

    Terminal control characters are shown as escapes.

    Args:
        columns: The headings.
        rows: The cells.
        numbers: The headings of the columns to align right, separated by spaces.

    Returns:
        The table, to be printed.
    """
    table = PrintedTable(box=None, header_style="bold", pad_edge=False)
    right = numbers.split()
    for column in columns:
        table.add_column(
            Text(visible(column)), justify="right" if column in right else "left", overflow="fold"
        )
    for row in rows:
        table.add_row(*(Text(visible(cell)) for cell in row))
    return table


def print_table(columns: Sequence[str], rows: Sequence[Sequence[str]], numbers: str = "") -> None:
    """Print a table made by `make_table`."""
    if not stdout.is_terminal:
        stdout.width = PLAIN_WIDTH
    stdout.print(make_table(columns, rows, numbers))


def print_json(value: Any) -> None:
    """Print one JSON document, indented."""
    print_text(visible_json(json.dumps(value, indent=2, ensure_ascii=False) + "\n"))


def print_text(text: str) -> None:
    """Print text for programs, in UTF-8 regardless of stdout's encoding.

    It must contain no terminal control characters.
    """
    if isinstance(sys.stdout, TextIOWrapper):
        sys.stdout.reconfigure(encoding="utf-8")
    try:
        sys.stdout.write(text)
        sys.stdout.flush()  # here, where a closed pipe can be handled
    except BrokenPipeError:
        stdout.on_broken_pipe()


def answer(line: str) -> None:
    """Print a line of an answer on stdout."""
    stdout.print_line(line)


_log = logging.getLogger(__name__)
_says_in_json = False


def say_in_json(wanted: bool) -> None:
    """Choose whether messages on stderr are log lines in JSON or plain text."""
    global _says_in_json  # noqa: PLW0603 - as there is one stderr
    _says_in_json = wanted


def say(line: str) -> None:
    """Print a message on stderr, so that stdout contains only answers."""
    if _says_in_json:
        _log.info("%s", line)
    else:
        stderr.print_line(line)


def say_lines(lines: Iterable[str]) -> None:
    """Print lines for a person on stderr."""
    for line in lines:
        say(line)


def say_error(error: Exception) -> None:
    """Print an error as one line, and below it the position it refers to."""
    line = _shortened(without_passwords(" ".join(str(error).split())))
    if _says_in_json:
        _log.error("%s", line)
        return
    say(f"castline: {line}")
    if isinstance(error, ExpressionError) and error.marked:
        text, position = error.marked
        say(f"  {text}")
        say(f"  {' ' * cell_len(visible(text[:position]))}^")


def _shortened(line: str) -> str:
    half = LONGEST_ERROR // 2
    return line if len(line) <= LONGEST_ERROR else f"{line[:half]} ... {line[-half:]}"


def rows_wanted(limit: int) -> int | None:
    """Return the limit as a library takes it: None for all."""
    return limit or None


def confirm_removal(command: str, *, yes: bool) -> None:
    """Asks whether what was shown may be removed.

    Raises:
        RequestError: There is nobody to ask.
        typer.Abort: It may not.
    """
    if yes:
        return
    if not sys.stdin.isatty():
        raise RequestError(f"{command}: nothing was removed; say that it may be, with --yes")
    typer.confirm("Remove all this?", abort=True, err=True)


def megabytes(count: int) -> str:
    """A size for people."""
    return f"{count / 1e6:.1f} MB"


def say_if_unsearched(names: Sequence[str]) -> None:
    """Say in which episodes nobody looked for the repeats that an answer is to leave out."""
    if names:
        more = f" and {len(names) - 1} more" if len(names) > 1 else ""
        say(
            f"Repeats were never sought in {names[0]}{more}, so nothing is left out there; run:"
            " castline episodes find-repeats"
        )


def say_if_more(table: Table[Row], limit: int) -> None:
    """Say so if there are more rows than are shown."""
    if table.has_more:
        say(f"The first {limit} are shown; --limit 0 shows all.")
