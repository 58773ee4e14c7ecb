"""Queries by users: read-only SQL, and a snapshot of the timeline."""

import csv
import io
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

from castline.asking.cast import cast_of
from castline.errors import DatabaseError
from castline.tables import data_frame
from db.questions.gathering import SELECT_SECONDS
from db.questions.reading import select_rows
from db.questions.snapshot import write_snapshot
from timeline.cells import cell
from timeline.files import check_free, whole_file
from worker.installation import Installation
from worker.visible import visible

if TYPE_CHECKING:
    import pandas as pd

LONGEST_SECONDS = SELECT_SECONDS + 5
"""Time for a SELECT to end by itself. Within one function, such as `instr` of two long values,
SQLite checks neither the clock nor Ctrl-C, and blocks other writers: then its process must be
killed."""

READ_ONLY = 0o444
"""Permissions of the snapshot: read-only, since changes would be lost with the next snapshot."""


@dataclass(frozen=True)
class Answer:
    """The result of a SELECT: the names of its columns, and its rows."""

    columns: tuple[str, ...]
    rows: tuple[tuple[Any, ...], ...]

    def to_pandas(self) -> "pd.DataFrame":
        """Return the rows as a pandas DataFrame.

        Raises:
            RequestError: Pandas is not installed.
        """
        return data_frame(self.rows, self.columns)

    def to_csv(self) -> str:
        """Return the rows as CSV below the names of the columns.

        A missing value is an empty cell, bytes are hexadecimal digits, text that a spreadsheet
        would evaluate is prefixed with an apostrophe, and terminal control characters are escaped.
        """
        written = io.StringIO()
        writer = csv.writer(written, lineterminator="\n")
        writer.writerow(map(_cell, self.columns))
        writer.writerows(map(_cell, row) for row in self.rows)
        return written.getvalue()


def _cell(value: Any) -> Any:
    if isinstance(value, bytes):
        return value.hex()
    return cell(visible(value)) if isinstance(value, str) else value


def sql(installation: Installation, statement: str) -> Answer:
    """Run one SELECT; see `Library.sql`."""
    found = select_rows(installation.database, statement, url=installation.settings.sql_url)
    return Answer(found.columns, tuple(found.rows))


def snapshot(installation: Installation, output: Path, *, force: bool) -> None:
    """Write the timeline of all episodes to a SQLite file; see `Library.snapshot`."""
    check_free(output, force)
    own = Path(installation.database.url.database or "")
    if installation.database.is_sqlite and output.exists() and output.samefile(own):
        raise DatabaseError(f"{output}: is Castline's own database; name another file")
    with installation.database.read() as connection, whole_file(output) as temporary:
        cast = cast_of(connection)
        write_snapshot(connection, temporary, cast.names.shown(cast.labels))
        temporary.chmod(READ_ONLY)
