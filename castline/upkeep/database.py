"""Upgrade the database's schema."""

from dataclasses import dataclass

from castline.errors import DatabaseError, as_castline_errors
from db.engine import Database
from db.questions.reader_role import make_reader
from db.upgrade import upgrade_database
from worker.settings import Settings


@dataclass(frozen=True)
class Upgraded:
    """A database with this version's schema."""

    database: str
    """URL of the database, without its password."""
    was_changed: bool
    reader_error: DatabaseError | None
    """Why the role of `castline sql` could not be created; everything else works without it."""


def upgrade(settings: Settings) -> Upgraded:
    """Upgrade the database to this version's schema; see `Library.upgrade_database`."""
    database = Database(settings.database_url)
    try:
        was_changed = upgrade_database(database)
        makes_reader = not database.is_sqlite and not settings.sql_url
        reader_error = _make_reader(database) if makes_reader else None
        return Upgraded(database.shown_url, was_changed, reader_error)
    finally:
        database.dispose()


def _make_reader(database: Database) -> DatabaseError | None:
    try:
        with as_castline_errors():
            make_reader(database)
    except DatabaseError as error:
        return error
    return None
