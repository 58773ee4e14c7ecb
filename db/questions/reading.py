"""Run users' own SQL, read-only and within limits of time and size."""

import sqlite3
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass
from typing import Any

from sqlalchemy import Connection, text

from db.engine import Database
from db.errors import DatabaseBusyError, DatabaseError
from db.failures import is_busy, remedy_of
from db.questions.gathering import SELECT_SECONDS, Gathering, Limits
from db.questions.reader_role import HOW, reader_url

_READING = {
    sqlite3.SQLITE_SELECT,
    sqlite3.SQLITE_READ,
    sqlite3.SQLITE_FUNCTION,
    sqlite3.SQLITE_RECURSIVE,
}
"""The operations that SQLite permits; ATTACH, for example, would create a file."""

_STEPS_BETWEEN_LOOKS = 100_000
"""Instructions of SQLite's virtual machine between checks: some milliseconds."""

_LARGEST_VALUE_BYTES = 10_000_000
"""Largest value that SQLite may make: a tenth of the largest answer."""

_FIRST_ROWS = 10
"""Rows in the first fetch from a server, doubled each time, as long as they are small."""

_SMALL_BYTES = 1_000_000
"""Size of rows that are fetched together: a round trip to the server takes no less time than such a
packet."""

_CANCELLED = "57014"
"""PostgreSQL's code for a statement that exceeded `statement_timeout`."""


@dataclass(frozen=True)
class Answer:
    """The names of the columns, and the rows."""

    columns: tuple[str, ...]
    rows: list[tuple[Any, ...]]


def select_rows(
    database: Database, statement: str, *, limits: Limits | None = None, url: str | None = None
) -> Answer:
    """Run one SELECT and read all its rows.

    Args:
        database: SQLite, where an authorizer refuses all but reading; or PostgreSQL, where a
            read-only role executes the statement as a cursor's, which the server permits for SELECT
            alone, in a read-only transaction.
        statement: One statement in the database's dialect.
        limits: Limits of time and size.
        url: URL of the role of PostgreSQL; None for the one that `castline db upgrade` creates.

    Returns:
        The names of the columns, and the rows.

    Raises:
        DatabaseError: It is not a single statement, does more than read, is invalid, or exceeds the
            limits.
        KeyboardInterrupt: Ctrl-C was pressed; SQLite swallows it and ends the statement instead.
    """
    gathering = Gathering(limits or Limits())
    ask = _ask_sqlite if database.is_sqlite else _ask_postgresql
    with _reading(database, url) as connection:
        try:
            columns = ask(connection.connection.driver_connection, statement, gathering)
        except MemoryError:
            gathering.refuse_size()
        except _driver_errors(connection) as error:
            cause = " ".join(str(error).split())
            if is_busy(error):
                raise DatabaseBusyError(
                    f"{database.shown_url}: {cause}; {remedy_of(cause)}"
                ) from error
            if getattr(error, "sqlstate", None) == _CANCELLED:
                gathering.refuse_time()
            raise DatabaseError(f"the statement is refused: {cause}; write one SELECT") from error
    return Answer(columns, gathering.rows)


def _driver_errors(connection: Connection) -> tuple[type[Exception], ...]:
    module: Any = connection.dialect.dbapi
    return (module.Error, module.Warning, ValueError)


def _columns(cursor: Any) -> tuple[str, ...]:
    if cursor.description is None:
        raise DatabaseError("the statement is empty; write one SELECT")
    return tuple(column[0] for column in cursor.description)


def _ask_sqlite(driver: Any, statement: str, gathering: Gathering) -> tuple[str, ...]:
    try:
        with _only_reading(driver, gathering):
            cursor = driver.execute(statement)
            for row in cursor:
                gathering.add(row)
    except sqlite3.OperationalError as error:
        code = getattr(
            error, "sqlite_errorcode", None
        )  # None: an error of Python's, such as for text that is not UTF-8
        if code != sqlite3.SQLITE_INTERRUPT:
            raise
        if gathering.seconds_left <= 0:
            gathering.refuse_time()
        raise KeyboardInterrupt from error
    return _columns(cursor)


@contextmanager
def _only_reading(driver: sqlite3.Connection, gathering: Gathering) -> Iterator[None]:
    def allow(action: int, *_: str | None) -> int:
        return sqlite3.SQLITE_OK if action in _READING else sqlite3.SQLITE_DENY

    largest = driver.setlimit(sqlite3.SQLITE_LIMIT_LENGTH, _LARGEST_VALUE_BYTES)
    driver.set_authorizer(allow)
    # Returns to Python now and then, to handle Ctrl-C and check the time.
    driver.set_progress_handler(lambda: gathering.seconds_left <= 0, _STEPS_BETWEEN_LOOKS)
    try:
        yield
    finally:
        driver.set_progress_handler(None, 0)
        driver.set_authorizer(None)
        driver.setlimit(sqlite3.SQLITE_LIMIT_LENGTH, largest)


def _ask_postgresql(driver: Any, statement: str, gathering: Gathering) -> tuple[str, ...]:
    def within_time(command: str, *, prepare: bool = False) -> Any:
        # Set before each, since the statement may have changed it.
        left_ms = max(int(gathering.seconds_left * 1000), 1)
        driver.execute(f"SET LOCAL statement_timeout = {left_ms}")
        return driver.execute(command, prepare=prepare)

    # Prepared, and therefore accepted only as one statement, whatever its text.
    within_time(f"DECLARE asked NO SCROLL CURSOR FOR {statement}", prepare=True)
    wanted = _FIRST_ROWS
    while True:
        before = gathering.size_bytes
        cursor = within_time(f"FETCH {wanted} FROM asked")
        rows = cursor.fetchall()
        for row in rows:
            gathering.add(row)
        if len(rows) < wanted:
            return _columns(cursor)
        wanted = _FIRST_ROWS if gathering.size_bytes > before + _SMALL_BYTES else 2 * wanted


@contextmanager
def _reading(database: Database, url: str | None) -> Iterator[Connection]:
    """Open a read-only transaction in which a user's SQL may be executed."""
    if database.is_sqlite:
        with database.read() as connection:
            yield connection
        return
    reader = Database(url or reader_url(database))
    try:
        with ExitStack() as stack:
            try:
                connection = stack.enter_context(reader.read())
            except DatabaseError as error:
                cause = str(error).rpartition("; ")[0]  # without the remedies for others
                raise DatabaseError(f"{cause}; {HOW}") from error
            _check_role(connection)
            yield connection
    finally:
        reader.dispose()


def _check_role(connection: Connection) -> None:
    """Refuse a role that may do more than read, and limit idle transactions."""
    connection.execute(
        text(f"SET LOCAL idle_in_transaction_session_timeout = '{SELECT_SECONDS:g}s'")
    )
    may_more = text(
        "SELECT rolsuper OR rolcreaterole OR rolcreatedb OR rolreplication"
        " OR has_table_privilege('run', 'INSERT, UPDATE, DELETE, TRUNCATE')"
        " FROM pg_roles WHERE rolname = session_user"
    )
    if connection.execute(may_more).scalar_one():
        raise DatabaseError(f"CASTLINE_SQL_URL: this role may do more than read; {HOW}")
