"""One database, two kinds of transaction: `read` and `write`.

SQLite needs its write lock acquired when a transaction begins (BEGIN IMMEDIATE): a transaction that
reads first and upgrades later fails with "database is locked" regardless of the timeout (900 of
1,200 with four writers, against none). Its write-ahead log is used only where SQLite is free of the
WAL-reset corruption bug (https://sqlite.org/wal.html#walresetbug).
"""

import re
import sqlite3
import time
from collections.abc import Iterator
from contextlib import contextmanager
from functools import partial
from pathlib import Path
from typing import Any, TypeAlias

from sqlalchemy import Connection, Engine, Table, create_engine, event, text
from sqlalchemy.engine import URL, Dialect
from sqlalchemy.engine.interfaces import DBAPIConnection
from sqlalchemy.exc import InvalidatePoolError
from sqlalchemy.pool import ConnectionPoolEntry

from db.database_url import checked_url
from db.errors import DatabaseError
from db.failures import one_line_errors
from db.patience import Patience

Transaction: TypeAlias = Connection
"""The argument of this package's functions: a connection inside the caller's transaction."""

PASSWORD_IN_QUERY = re.compile(r"(?<=[?&])((?:ssl)?password=)[^&\s]+", re.IGNORECASE)
"""Passwords in the query, as servers' own clients allow: `postgresql://host/name?password=...`."""

LONGEST_IDLE_SECONDS = 30.0
"""Maximum idle time inside a transaction: a machine that was suspended there would block all others
until it wakes. The longest pause that a transaction needs, to find a long episode's appearances, is
some seconds; a lease is a minute."""

TRIED_AFTER_SECONDS = 1.0
"""A pooled connection to a server that was idle for this long is tested before it is used."""


class Database:
    """Opens connections to one SQL database.

    Args:
        url: A SQLAlchemy URL; `postgresql://` is read as psycopg 3.
        patience: How long to wait; by default as long as a command.

    Raises:
        DatabaseError: The URL is not that of a supported database.
    """

    def __init__(self, url: str | URL, patience: Patience | None = None) -> None:
        self.url = checked_url(url)
        self.patience = patience or Patience()
        self.engine = _create_engine(self.url, self.patience.lock_seconds)

    @property
    def shown_url(self) -> str:
        """The URL without its password, suitable for a log or a terminal."""
        return PASSWORD_IN_QUERY.sub(r"\1***", self.url.render_as_string(hide_password=True))

    @property
    def is_sqlite(self) -> bool:
        """Whether this is a SQLite file."""
        return self.url.get_backend_name() == "sqlite"

    @contextmanager
    def write(self) -> Iterator[Connection]:
        """Open a transaction that may write: committed at the end, rolled back on any error."""
        with one_line_errors(self.shown_url, self.patience), self.engine.begin() as connection:
            yield connection

    @contextmanager
    def read(self) -> Iterator[Connection]:
        """Open a read-only transaction that sees a single state of the database throughout."""
        with (
            one_line_errors(self.shown_url, self.patience),
            self.engine.connect() as connection,
            _as_reader(connection).begin(),
        ):
            if not self.is_sqlite:  # it blocks nobody, and may take its time between reads
                connection.execute(_MAY_IDLE)
            yield connection

    @contextmanager
    def connection(self) -> Iterator[Connection]:
        """Open a connection for several transactions, as temporary tables need; closed at the end.

        On SQLite its transactions do not acquire the write lock before they write to shared tables;
        `Connection.execution_options(castline_reads_only=False)` changes that.
        """
        with one_line_errors(self.shown_url, self.patience), self.engine.connect() as connection:
            connection.detach()
            yield connection.execution_options(castline_reads_only=True)

    def dispose(self) -> None:
        """Close the pooled connections."""
        self.engine.dispose()


def _create_engine(url: URL, lock_seconds: float) -> Engine:
    if url.get_backend_name() == "postgresql":
        engine = create_engine(url)
        event.listen(engine, "connect", partial(_limit_waiting, lock_seconds))
        event.listen(engine, "checkin", _note_use)
        event.listen(engine, "checkout", partial(_try_if_idle, engine.dialect))
        return engine
    _make_folder(Path(str(url.database)).parent)
    # As many connections as threads request: waiting for the file's lock is SQLite's business.
    engine = create_engine(
        url, connect_args={"timeout": lock_seconds}, pool_size=1, max_overflow=-1
    )
    event.listen(engine, "connect", _prepare_sqlite)
    event.listen(engine, "begin", _begin_sqlite)
    return engine


def _limit_waiting(lock_seconds: float, connection: Any, _record: ConnectionPoolEntry) -> None:
    """Let the server end a transaction whose process stalls, and a wait for a lock."""
    connection.autocommit = True
    connection.execute(f"SET idle_in_transaction_session_timeout = '{LONGEST_IDLE_SECONDS:g}s'")
    connection.execute(f"SET lock_timeout = '{lock_seconds * 1000:.0f}ms'")
    connection.autocommit = False


_MAY_IDLE = text("SET LOCAL idle_in_transaction_session_timeout = 0")


def _note_use(_connection: Any, record: ConnectionPoolEntry) -> None:
    record.info["used_at"] = time.monotonic()


def _try_if_idle(
    dialect: Dialect, connection: DBAPIConnection, record: ConnectionPoolEntry, _proxy: Any
) -> None:
    """Test an idle pooled connection, which a restart of the server may have cut, before its use.

    A connection that was used just now is not tested: work retries if it was cut.
    """
    idle_seconds = time.monotonic() - record.info.get("used_at", time.monotonic())
    if idle_seconds < TRIED_AFTER_SECONDS:
        return
    try:
        dialect.do_ping(connection)
    except dialect.loaded_dbapi.Error as error:
        raise InvalidatePoolError from error


def _make_folder(folder: Path) -> None:
    try:
        folder.mkdir(parents=True, exist_ok=True)
    except OSError as error:
        raise DatabaseError(
            f"{folder}: cannot be made ({error.strerror}); name another folder with --home"
        ) from error


def _prepare_sqlite(connection: sqlite3.Connection, _record: Any) -> None:
    # None: the driver shall not begin transactions by itself; `_begin_sqlite` does.
    connection.isolation_level = None
    connection.execute(f"PRAGMA journal_mode={sqlite_journal_mode(sqlite3.sqlite_version_info)}")
    connection.execute("PRAGMA foreign_keys=ON")
    # FULL: an acknowledged commit survives a power cut, in both journal modes.
    connection.execute("PRAGMA synchronous=FULL")


def sqlite_journal_mode(version: tuple[int, ...]) -> str:
    """Return the safe journal mode for this SQLite version: "WAL" or "DELETE".

    The WAL-reset bug was fixed in 3.51.3 and in the branches 3.50.7 and 3.44.6.
    """
    fixed = version >= (3, 51, 3)
    fixed_in_branch = (3, 50, 7) <= version < (3, 51) or (3, 44, 6) <= version < (3, 45)
    return "WAL" if fixed or fixed_in_branch else "DELETE"


def _begin_sqlite(connection: Connection) -> None:
    reads_only = connection.get_execution_options().get("castline_reads_only", False)
    connection.exec_driver_sql("BEGIN" if reads_only else "BEGIN IMMEDIATE")


def _as_reader(connection: Connection) -> Connection:
    if connection.dialect.name == "sqlite":
        return connection.execution_options(castline_reads_only=True)
    return connection.execution_options(isolation_level="REPEATABLE READ", postgresql_readonly=True)


def insert_ignoring_conflict(connection: Connection, table: Table) -> Any:
    """Return an INSERT that does nothing where the row exists; other processes may be faster."""
    return dialect_insert(connection, table).on_conflict_do_nothing()


def dialect_insert(connection: Connection, table: Table) -> Any:
    """Return an INSERT that can handle conflicts; the other database's is not even imported."""
    if connection.dialect.name == "sqlite":
        from sqlalchemy.dialects.sqlite import insert as sqlite_insert

        return sqlite_insert(table)
    from sqlalchemy.dialects.postgresql import insert as postgresql_insert

    return postgresql_insert(table)
