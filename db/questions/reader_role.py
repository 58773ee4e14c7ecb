"""The read-only role of PostgreSQL for users' own SQL.

A separate role is needed because every restriction of a connection with Castline's own role can be
undone within one SELECT: `set_config` changes roles, and functions lock, signal and write files.
"""

import hashlib
import hmac
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, cast

from sqlalchemy import Connection, text
from sqlalchemy.engine import URL

from db.engine import Database
from db.errors import DatabaseError
from db.questions.gathering import SELECT_SECONDS
from db.schema import duty, metadata, notice

if TYPE_CHECKING:
    from psycopg import sql

TEMPORARY_FILES = "1GB"
"""Limit of the server's temporary files for one SELECT, where the creator of the role may set it:
sorting a million tags takes a tenth of that."""

LONGEST_NAME = 63
"""Maximum bytes of PostgreSQL's names."""

READABLE = (
    *sorted(table.name for table in metadata.tables.values() if table not in (duty, notice)),
    "timeline",
)
"""The tables and the view of docs/reference/data-model.md."""

HOW = (
    "run castline db upgrade as a user who may create roles, or name a role that may only read in"
    " CASTLINE_SQL_URL (docs/how-to/deploying.md)"
)


@dataclass(frozen=True)
class _Asked:
    """The user and the database for which the role is to be created."""

    database: str
    schema: str
    is_superuser: bool
    may_create: bool
    exists: bool


def reader_url(database: Database) -> URL:
    """Return the URL of the role: its password is derived from that of Castline's own role."""
    with database.read() as connection:
        name = connection.execute(text("SELECT current_database()")).scalar_one()
    role = role_name(name)
    own = database.url.password or database.url.query.get("password")
    return database.url.difference_update_query(["password", "user"]).set(
        username=role, password=_password(str(own), role) if own else None, database=name
    )


def role_name(database: str) -> str:
    """Return the role's name: roles belong to the whole server, so it contains the database."""
    name = f"castline_reader_{database}"
    if len(name.encode()) <= LONGEST_NAME:
        return name
    return f"castline_reader_{hashlib.sha256(database.encode()).hexdigest()[:32]}"


def _password(own: str, role: str) -> str:
    """Derive the role's password by a one-way function from Castline's own."""
    return hmac.new(own.encode(), f"castline sql {role}".encode(), hashlib.sha256).hexdigest()


def make_reader(database: Database) -> None:
    """Create the role, or update it; idempotent.

    Raises:
        DatabaseError: This user may not create it; the message says what to do.
    """
    url = reader_url(database)
    with database.write() as connection:
        asked = _asked(connection, str(url.username))
        if not (asked.exists or asked.may_create):
            raise DatabaseError(f"castline sql cannot be used: no role {url.username}; {HOW}")
        for statement in _statements(connection, url, asked):
            connection.exec_driver_sql(statement.as_string(_driver(connection)))


def _asked(connection: Connection, role: str) -> _Asked:
    # Serialises concurrent creations of the same role. Ends with the transaction.
    connection.execute(text("SELECT pg_advisory_xact_lock(hashtext(:role))"), {"role": role})
    row = connection.execute(
        text(
            "SELECT current_database(), current_schema(), rolsuper, rolsuper OR rolcreaterole,"
            " EXISTS (SELECT FROM pg_roles WHERE rolname = :role)"
            " FROM pg_roles WHERE rolname = current_user"
        ),
        {"role": role},
    ).one()
    return _Asked(*row)


def _statements(connection: Connection, url: URL, asked: _Asked) -> "list[sql.Composed]":
    from psycopg import sql

    role = sql.Identifier(str(url.username))
    made = [] if asked.exists else [sql.SQL("CREATE ROLE {} LOGIN").format(role)]
    if asked.may_create:
        made += [sql.SQL("ALTER ROLE {} {}").format(role, part) for part in _limits(asked)]
        if url.password:
            hidden = _driver(connection).pgconn.encrypt_password(
                url.password.encode(), str(url.username).encode(), b"scram-sha-256"
            )
            alter = sql.SQL("ALTER ROLE {} PASSWORD {}")
            made.append(alter.format(role, sql.Literal(hidden.decode())))
    schema = sql.Identifier(asked.schema)
    tables = sql.SQL(", ").join(sql.Identifier(asked.schema, name) for name in READABLE)
    return [
        *made,
        sql.SQL("GRANT CONNECT ON DATABASE {} TO {}").format(sql.Identifier(asked.database), role),
        sql.SQL("GRANT USAGE ON SCHEMA {} TO {}").format(schema, role),
        sql.SQL("GRANT SELECT ON {} TO {}").format(tables, role),
        *(_revoked(connection) if asked.is_superuser else ()),
    ]


def _limits(asked: _Asked) -> "list[sql.SQL]":
    """Return limits that also hold for other connections with this role."""
    from psycopg import sql

    seconds = f"'{SELECT_SECONDS:g}s'"
    limits = [
        "SET default_transaction_read_only = on",
        f"SET statement_timeout = {seconds}",
        f"SET idle_in_transaction_session_timeout = {seconds}",
        f"SET lock_timeout = {seconds}",
    ]
    if asked.is_superuser:
        limits.append(f"SET temp_file_limit = '{TEMPORARY_FILES}'")
    return [sql.SQL(cast("Any", limit)) for limit in limits]


def _revoked(connection: Connection) -> "list[sql.Composed]":
    """Revoke, in this database, functions by which a reader could block others; not of superusers.

    Advisory locks fill the server's memory for locks; messages fill its log.
    """
    from psycopg import sql

    functions = connection.execute(
        text(
            "SELECT oid::regprocedure::text FROM pg_proc"
            " WHERE pronamespace = 'pg_catalog'::regnamespace"
            " AND (proname ~ '^pg_(try_)?advisory_(xact_)?lock'"
            " OR proname IN ('pg_logical_emit_message', 'pg_notify'))"
            " AND has_function_privilege('public', oid, 'EXECUTE')"
        )
    ).scalars()
    revoke = "REVOKE EXECUTE ON FUNCTION pg_catalog.{} FROM PUBLIC"
    return [sql.SQL(cast("Any", revoke)).format(sql.SQL(cast("Any", one))) for one in functions]


def _driver(connection: Connection) -> Any:
    driver = connection.connection.driver_connection
    assert driver is not None, "the transaction has begun"
    return driver
