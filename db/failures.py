"""Turn the errors of database drivers into one line that says what to do."""

import sqlite3
from collections.abc import Iterator
from contextlib import contextmanager

from sqlalchemy.exc import DBAPIError, OperationalError, SQLAlchemyError

from db.errors import DatabaseBusyError, DatabaseCutError, DatabaseError
from db.patience import Patience

SQLITE_PRIMARY_CODE = 0xFF
"""The bits of SQLite's extended error codes that give the kind (sqlite.org/rescode.html)."""

RESTORE = "put a backup in its place (docs/how-to/deploying.md)"

REMEDIES = {
    "locked": "another program holds its lock: end that, or try again later",
    "lock timeout": "another program holds a lock: end that, or try again later",
    "disk is full": "free some space and start again, nothing was lost",
    "no such table": "run: castline db upgrade",
    "relation": "run: castline db upgrade",
    "does not exist": "make it on the server, or name another in CASTLINE_DATABASE_URL",
    "unable to open database file": "check that the folder exists and may be written to",
    "malformed": RESTORE,
    "disk I/O error": "check the disk, the file and its folder",
    "not a database": "move this file away or name another database",
    "readonly database": "check the permissions of the file and its folder",
    "connection": "check that the server runs and that the URL is right",
}


@contextmanager
def one_line_errors(shown_url: str, patience: Patience) -> Iterator[None]:
    """Convert the errors of SQLAlchemy and the drivers.

    Raises:
        DatabaseBusyError: Another process holds a lock.
        DatabaseCutError: The server went away, or is not there.
        DatabaseError: Any other error.
    """
    try:
        yield
    except SQLAlchemyError as error:
        cause = " ".join(str(getattr(error, "orig", error)).split())
        message = f"{shown_url}: {cause}; {remedy_of(cause)}"
        if is_busy(getattr(error, "orig", None)):
            raise DatabaseBusyError(message, patience) from error
        if _is_cut(error):
            raise DatabaseCutError(message, patience) from error
        raise DatabaseError(message) from error


@contextmanager
def reading_rows() -> Iterator[None]:
    """Convert errors in rows to records; usable as a decorator: a row may have been damaged.

    Raises:
        DatabaseError: A value is not one that Castline writes.
    """
    try:
        yield
    except (ValueError, TypeError, ArithmeticError, LookupError) as error:
        raise DatabaseError(
            f"the database: a row has a value that Castline never wrote ({error}); {RESTORE}"
        ) from error


def is_busy(cause: object) -> bool:
    """Tell whether a driver's error is a lock timeout.

    By SQLite's codes, and PostgreSQL's 55P03.
    """
    if isinstance(cause, sqlite3.Error):
        code = getattr(cause, "sqlite_errorcode", 0) & SQLITE_PRIMARY_CODE
        return code in (sqlite3.SQLITE_BUSY, sqlite3.SQLITE_LOCKED)
    return getattr(cause, "sqlstate", None) == "55P03"


def _is_cut(error: SQLAlchemyError) -> bool:
    """Tell whether the server caused the error, not the request.

    By PostgreSQL's own codes: class 08 are connections, 57P01 to 57P03 a server that shuts down or
    starts, 57P05 an idle connection that was ended, 25P03 an idle transaction; 40001 and 40P01 are
    conflicting transactions, of which one was aborted; 53200 and 53300 are a server that currently
    lacks memory or connections. There is no code where no server answered.
    """
    if not isinstance(error, DBAPIError) or isinstance(error.orig, sqlite3.Error):
        return False
    code = getattr(error.orig, "sqlstate", None) or ""
    if code:
        passing = ("25P03", "40001", "40P01", "53200", "53300")
        return code.startswith(("08", "57P")) or code in passing
    return error.connection_invalidated or isinstance(error, OperationalError)


def remedy_of(cause: str) -> str:
    """Return the remedy for an error with this message."""
    for part, remedy in REMEDIES.items():
        if part in cause:
            return remedy
    return "run: castline doctor"
