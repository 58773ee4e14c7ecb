"""The one place that wires settings, database, frame store and models together."""

from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass

from db.engine import Database
from db.upgrade import upgrade_database
from worker.settings import Settings


@dataclass(frozen=True)
class Workplace:
    """An installation that is ready for use: its settings and its migrated database."""

    settings: Settings
    database: Database


@contextmanager
def open_workplace(settings: Settings) -> Iterator[Workplace]:
    """Opens the installation that the settings describe; its database is migrated if need be.

    Raises:
        DatabaseError: The database cannot be opened or migrated.
    """
    database = Database(settings.database_url)
    try:
        upgrade_database(database)
        yield Workplace(settings, database)
    finally:
        database.dispose()
