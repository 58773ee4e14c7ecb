"""A person's own SQL, which can read and do nothing else."""

import sqlite3
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from typing import Any

from sqlalchemy import Connection

from db.engine import Database
from db.errors import DatabaseError

_READING = {
    sqlite3.SQLITE_SELECT,
    sqlite3.SQLITE_READ,
    sqlite3.SQLITE_FUNCTION,
    sqlite3.SQLITE_RECURSIVE,
}
"""What SQLite may be asked to do; ATTACH, for one, would make a file."""

_STEPS_BETWEEN_LOOKS = 100_000
"""Of SQLite's virtual machine: some milliseconds."""


@dataclass(frozen=True)
class Answer:
    """The names of the columns, and the rows."""

    columns: tuple[str, ...]
    rows: list[tuple[Any, ...]]


def select_rows(database: Database, statement: str) -> Answer:
    """Run one SELECT and read all its rows.

    Args:
        database: SQLite, where an authorizer refuses all but reading; or PostgreSQL, where the
            statement becomes a cursor's, which the server grants to SELECT alone, in a read-only
            transaction.
        statement: one statement, as the database writes it.

    Raises:
        DatabaseError: it is not one, asks for more than reading, or is refused for what it says.
        KeyboardInterrupt: Ctrl-C came; SQLite swallows that and ends the statement instead.
    """
    with database.read() as connection:
        driver = connection.connection.driver_connection
        assert driver is not None, "the transaction has begun"
        try:
            if database.is_sqlite:
                with _only_reading(driver):
                    cursor = driver.execute(statement)
                    rows = cursor.fetchall()
            else:
                # Sent to be prepared, and so taken as one statement, whatever it holds.
                driver.execute(f"DECLARE asked NO SCROLL CURSOR FOR {statement}", prepare=True)
                cursor = driver.execute("FETCH ALL FROM asked")
                rows = cursor.fetchall()
        except _driver_errors(connection) as error:
            if getattr(error, "sqlite_errorcode", None) == sqlite3.SQLITE_INTERRUPT:
                raise KeyboardInterrupt from error
            cause = " ".join(str(error).split())
            raise DatabaseError(f"the statement is refused: {cause}; write one SELECT") from error
    if cursor.description is None:
        raise DatabaseError("the statement is empty; write one SELECT")
    return Answer(tuple(column[0] for column in cursor.description), rows)


def _driver_errors(connection: Connection) -> tuple[type[Exception], ...]:
    module: Any = connection.dialect.dbapi
    return (module.Error, module.Warning, ValueError)


@contextmanager
def _only_reading(driver: sqlite3.Connection) -> Iterator[None]:
    def allow(action: int, *_: str | None) -> int:
        return sqlite3.SQLITE_OK if action in _READING else sqlite3.SQLITE_DENY

    driver.set_authorizer(allow)
    # Now and then back in Python, where Ctrl-C is heard.
    driver.set_progress_handler(lambda: 0, _STEPS_BETWEEN_LOOKS)
    try:
        yield
    finally:
        driver.set_progress_handler(None, 0)
        driver.set_authorizer(None)
