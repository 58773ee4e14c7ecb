"""Upgrade a database to the schema of this version of Castline."""

from pathlib import Path

from sqlalchemy import Connection, inspect, select, text
from sqlalchemy import column as sql_column
from sqlalchemy import table as sql_table

from db.engine import Database
from db.errors import DatabaseError
from db.failures import RESTORE

FIRST, HEAD = "0001", "0017"
"""The oldest and the newest revision; a test compares the latter with the migration scripts."""

# Any number that no other program uses on the same PostgreSQL server: "cast" in ASCII.
_ADVISORY_LOCK = 0x63617374


def upgrade_database(database: Database) -> bool:
    """Run the missing migrations, all in one transaction.

    Any number of processes may call this concurrently on an empty database: one of them migrates.

    Returns:
        Whether the schema was changed.

    Raises:
        DatabaseError: The database cannot be opened, or a newer Castline has migrated it.
    """
    with database.read() as connection:
        if current_revision(connection) == HEAD:
            return False
    with database.write() as connection:
        if not database.is_sqlite:  # SQLite's write lock is held since BEGIN IMMEDIATE
            connection.execute(text("SELECT pg_advisory_xact_lock(:key)"), {"key": _ADVISORY_LOCK})
        revision = current_revision(connection)
        if revision == HEAD:
            return False
        check_revision(database, revision)
        _run_migrations(connection)
    return True


def check_revision(database: Database, revision: str | None) -> None:
    """Raise DatabaseError for a schema that only a newer Castline knows, or none."""
    if revision is not None and revision > HEAD:
        raise DatabaseError(
            f"{database.shown_url}: made by a newer Castline (schema {revision}, this one"
            f" knows {HEAD}); install that version or name another database"
        )
    if revision is not None and not (revision >= FIRST and revision.isdecimal()):
        raise DatabaseError(
            f"{database.shown_url}: schema {revision!r} is not one of Castline's; {RESTORE}"
        )


def current_revision(connection: Connection) -> str | None:
    """Return the schema revision of the database; None for a database without tables."""
    if not inspect(connection).has_table("alembic_version"):
        return None
    versions = sql_table("alembic_version", sql_column("version_num"))
    return connection.execute(select(versions.c.version_num)).scalar()


def _run_migrations(connection: Connection) -> None:
    # Alembic takes a quarter of a second to import, and most starts need no migration.
    from alembic import command
    from alembic.config import Config

    config = Config()
    config.set_main_option("script_location", str(Path(__file__).parent / "migrations"))
    config.set_main_option("path_separator", "os")
    config.attributes["connection"] = connection
    command.upgrade(config, "head")
