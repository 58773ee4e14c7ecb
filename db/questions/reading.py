"""A person's own SQL, which can read and do nothing else, for a while and up to a size."""

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
"""What SQLite may be asked to do; ATTACH, for one, would make a file."""

_STEPS_BETWEEN_LOOKS = 100_000
"""Of SQLite's virtual machine: some milliseconds."""

_LARGEST_VALUE_BYTES = 10_000_000
"""That SQLite may make: a tenth of the largest answer."""

_FIRST_ROWS = 10
"""That are fetched from a server, and twice as many each time, as long as they are small."""

_SMALL_BYTES = 1_000_000
"""Of rows that are fetched together: a journey to the server takes no longer than such a packet."""

_CANCELLED = "57014"
"""PostgreSQL's code for a statement that took longer than `statement_timeout`."""


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
        database: SQLite, where an authorizer refuses all but reading; or PostgreSQL, where a role
            that may only read asks, and the statement becomes a cursor's, which the server grants
            to SELECT alone, in a read-only transaction.
        statement: One statement, as the database writes it.
        limits: How long it may take, and how much it may answer.
        url: Of the role of PostgreSQL; None for the one that `castline db upgrade` makes.

    Raises:
        DatabaseError: It is not one, asks for more than reading, is refused for what it says, or
            takes too long or too much.
        KeyboardInterrupt: Ctrl-C came; SQLite swallows that and ends the statement instead.
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
        )  # None: of Python's, as for text in no UTF-8
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
    # Now and then back in Python, where Ctrl-C is heard, and time goes by.
    driver.set_progress_handler(lambda: gathering.seconds_left <= 0, _STEPS_BETWEEN_LOOKS)
    try:
        yield
    finally:
        driver.set_progress_handler(None, 0)
        driver.set_authorizer(None)
        driver.setlimit(sqlite3.SQLITE_LIMIT_LENGTH, largest)


def _ask_postgresql(driver: Any, statement: str, gathering: Gathering) -> tuple[str, ...]:
    def within_time(command: str, *, prepare: bool = False) -> Any:
        # Said before each, since the statement may have said otherwise.
        left_ms = max(int(gathering.seconds_left * 1000), 1)
        driver.execute(f"SET LOCAL statement_timeout = {left_ms}")
        return driver.execute(command, prepare=prepare)

    # Sent to be prepared, and so taken as one statement, whatever it holds.
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
    """A reading transaction in which a person's SQL may be executed."""
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
                cause = str(error).rpartition("; ")[0]  # without what to do about others
                raise DatabaseError(f"{cause}; {HOW}") from error
            _check_role(connection)
            yield connection
    finally:
        reader.dispose()


def _check_role(connection: Connection) -> None:
    """Refuses a role that may do more than read, and lets none stand still in a transaction."""
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
