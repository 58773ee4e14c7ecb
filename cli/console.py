"""What the commands share: where they print, and how a person names an episode or a label."""

import json
import logging
import shlex
import sys
from collections.abc import Iterable, Sequence
from difflib import get_close_matches
from io import TextIOWrapper
from itertools import islice
from pathlib import Path
from typing import Annotated, Any, TypeVar

import typer
from rich.cells import cell_len
from rich.table import Table
from rich.text import Text

from cli.terminal import stderr, stdout
from db.current import CURRENT, Shown
from db.engine import Transaction
from db.episodes import find_episodes, list_episodes
from db.errors import NotFoundError
from db.queries import was_season_examined
from db.records import EpisodeRecord, RunRecord
from db.runs import current_run_of, latest_run_of, shown_run_of
from model.labels import label_of, require_label_of
from timeline.errors import ExpressionError
from worker.answers import episode_of_file
from worker.log import without_passwords
from worker.names import cast_of
from worker.visible import visible, visible_json

Json = Annotated[bool, typer.Option("--json", help="Print JSON instead of a table.")]
"""The option of every command that reads."""

LARGEST_INTEGER = 2**31 - 1
"""Of a column or a limit, and of none larger, every database can be asked."""

LARGEST_RUN = 2**63 - 1
"""The same of the numbers of runs, whose columns are wider."""

LARGEST_SEED = 2**63 - 1
"""That recipes and datasets take."""

RunNumber = Annotated[
    int,
    typer.Argument(min=1, max=LARGEST_RUN, help="The run's number, as castline status shows it."),
]
"""The argument of commands that change a run."""

OfRun = Annotated[
    int | None,
    typer.Option("--run", min=1, max=LARGEST_RUN, help="Ask this run instead of the current ones."),
]
OfModel = Annotated[
    str | None, typer.Option("--model", help="Ask this model's latest runs instead.")
]
"""The options of every question about appearances."""

Limit = Annotated[
    int,  # one more is asked for, to tell whether there are more
    typer.Option(min=0, max=LARGEST_INTEGER - 1, help="At most so many rows; 0 for all."),
]
"""The option of commands whose answers may be very long."""

Season = Annotated[
    int | None,
    typer.Option(
        min=0, max=LARGEST_INTEGER, help="Only this season, where names tell it (S05E12)."
    ),
]
"""The option of questions about all episodes."""

DEFAULT_LIMIT = 100
"""Rows of an answer: as many as a person reads, and found at once in any library."""

Row = TypeVar("Row")


LONGEST_ERROR = 2000
"""Letters of an error's line; of what is longer, as where it quotes a line of a megabyte, both ends
are shown, for the last words say what to do."""

PLAIN_WIDTH = 160
"""Columns of a table that goes to a file or a pipe, where there is no window to fit."""


def escape_what_stdout_cannot_write() -> None:
    """Shows letters that stdout's encoding has not as escapes, as stderr does anyway."""
    if isinstance(sys.stdout, TextIOWrapper):
        sys.stdout.reconfigure(errors="backslashreplace")


def make_table(columns: Sequence[str], rows: Sequence[Sequence[str]], numbers: str = "") -> Table:
    """A table whose cells are shown as they are: a file's name may look like markup.

    What would act on a terminal is shown as an escape.

    Args:
        columns: The headings.
        rows: The cells.
        numbers: The headings of the columns to align right, separated by blanks.
    """
    table = Table(box=None, header_style="bold", pad_edge=False)
    right = numbers.split()
    for column in columns:
        table.add_column(
            Text(visible(column)), justify="right" if column in right else "left", overflow="fold"
        )
    for row in rows:
        table.add_row(*(Text(visible(cell)) for cell in row))
    return table


def print_table(columns: Sequence[str], rows: Sequence[Sequence[str]], numbers: str = "") -> None:
    """Prints a table, as `make_table` makes it."""
    if not stdout.is_terminal:
        stdout.width = PLAIN_WIDTH
    stdout.print(make_table(columns, rows, numbers))


def print_json(value: Any) -> None:
    """Prints one JSON document, indented, in UTF-8, whatever stdout's encoding is for others."""
    if isinstance(sys.stdout, TextIOWrapper):
        sys.stdout.reconfigure(encoding="utf-8")
    try:
        sys.stdout.write(visible_json(json.dumps(value, indent=2, ensure_ascii=False) + "\n"))
        sys.stdout.flush()  # here, where a closed pipe can be dealt with
    except BrokenPipeError:
        stdout.on_broken_pipe()


def answer(line: str) -> None:
    """Prints a line of an answer on stdout."""
    stdout.print_line(line)


_log = logging.getLogger(__name__)
_says_in_json = False


def say_in_json(wanted: bool) -> None:
    """Has what is said be lines of the log from now on, or not: stderr is one or the other."""
    global _says_in_json  # noqa: PLW0603 - as there is one stderr
    _says_in_json = wanted


def say(line: str) -> None:
    """Prints a line for a person on stderr, so that stdout holds answers alone."""
    if _says_in_json:
        _log.info("%s", line)
    else:
        stderr.print_line(line)


def say_error(error: Exception) -> None:
    """Prints an error as the one line that it promises to be, and below it what it points at."""
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


def rows_to_read(limit: int) -> int | None:
    """How many rows `first_rows` needs: one more tells that there are more; None for all."""
    return limit + 1 if limit else None


def first_rows(rows: Iterable[Row], limit: int) -> list[Row]:
    """At most `limit` rows, or all for a limit of 0; says so if there are more."""
    if not limit:
        return list(rows)
    found = list(islice(rows, limit + 1))
    if len(found) > limit:
        say(f"The first {limit} are shown; --limit 0 shows all.")
    return found[:limit]


def require_episode(connection: Transaction, reference: str) -> EpisodeRecord:
    """The one episode that a person means.

    Raises:
        NotFoundError: None or several fit.
    """
    if not reference:  # which is a part of every name
        raise NotFoundError("an episode without a name: give one; castline episodes lists them")
    by_content = _episode_of_file(connection, reference)
    writable = reference.encode(errors="replace").decode()  # a name that is not UTF-8 is no row's
    found = [by_content] if by_content else find_episodes(connection, writable)
    if len(found) == 1:
        return found[0]
    if found:
        fitting = ", ".join(f"{item.name} ({item.sha256[:8]})" for item in found[:5])
        more = f" and {len(found) - 5} more" if len(found) > 5 else ""
        raise NotFoundError(
            f"{reference}: several episodes fit: {fitting}{more}; give a whole name, or the digits"
            " in brackets"
        )
    names = [item.name for item in list_episodes(connection)]
    close = get_close_matches(reference, names, n=3, cutoff=0.4)
    hint = f"did you mean {' or '.join(close)}?" if close else "castline episodes lists them"
    raise NotFoundError(f"{reference}: no such episode here; {hint}")


def _episode_of_file(connection: Transaction, reference: str) -> EpisodeRecord | None:
    try:
        return episode_of_file(connection, Path(reference))
    except (OSError, ValueError):
        return None  # too long for a file name, say: then it is no file


def require_tagged_episode(connection: Transaction, reference: str) -> EpisodeRecord:
    """The one episode that a person means, which has a current run.

    Raises:
        NotFoundError: None or several fit, or it was never tagged to the end.
    """
    episode = require_episode(connection, reference)
    if current_run_of(connection, episode.id) is None:
        latest = latest_run_of(connection, episode.id)
        state = f"its run is {latest.state}" if latest else "it has no run"
        raise NotFoundError(
            f"{episode.name}: nothing to show yet, {state};"
            f" run: castline tag {shlex.quote(episode.uri)}"
        )
    return episode


def require_shown_run(connection: Transaction, episode: EpisodeRecord, shown: Shown) -> RunRecord:
    """The run of an episode that a question is about.

    Raises:
        NotFoundError: It has no such run.
    """
    run = shown_run_of(connection, episode.id, shown)
    if run is None:
        raise NotFoundError(
            f"{episode.name}: no such run of this episode that ended; castline status lists them"
        )
    return run


def asked_episode_id(connection: Transaction, reference: str | None, shown: Shown) -> int | None:
    """The one episode that a question is limited to; None for all of them.

    Raises:
        NotFoundError: None or several fit, or no run that the question is about looked at it.
    """
    if reference is None:
        return None
    episode = require_tagged_episode(connection, reference)
    require_shown_run(connection, episode, shown)
    return episode.id


def asked_season(connection: Transaction, season: int | None, shown: Shown) -> int | None:
    """The one season that a question is limited to; None for all of them.

    Raises:
        NotFoundError: No run that the question is about looked at any episode of it.
    """
    if season is not None and not was_season_examined(connection, season, shown):
        by_those = "" if shown == CURRENT else " by the run or model that is asked for"
        raise NotFoundError(
            f"--season {season}: no episode of it was tagged{by_those}; castline status lists runs"
        )
    return season


def require_label(connection: Transaction, reference: str) -> str:
    """The one label that a person means: by itself or by its name, in any writing, or by a part.

    Not `unknown`, which no tag has.

    Raises:
        NotFoundError: None or several fit.
        LabelError: No label can be made of what was written.
    """
    cast = cast_of(connection)
    fitting = cast.called(reference) or cast.with_part(reference)
    if len(fitting) == 1:
        return fitting[0]
    if fitting:
        raise NotFoundError(f"{reference}: several labels fit: {', '.join(fitting)}; name one")
    if not cast.labels:
        raise NotFoundError(f"{reference}: nothing was tagged yet; run: castline tag EPISODE")
    asked = require_label_of(reference, "label")
    written = {label: (label_of(label), label_of(cast.names[label])) for label in cast.labels}
    words = {
        part: label
        for label, forms in written.items()
        for form in forms
        for part in (form, *form.split("_"))
    }
    close = dict.fromkeys(words[word] for word in get_close_matches(asked, words, n=3))
    hint = f"did you mean {' or '.join(close)}?" if close else f"known are {', '.join(cast.labels)}"
    raise NotFoundError(f"{reference}: no such label; {hint}")
