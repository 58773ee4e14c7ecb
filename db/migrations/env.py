"""Alembic runs this file for every command; the connection comes from `db.upgrade`."""

from alembic import context
from sqlalchemy import Connection

from db.schema import metadata


def _migrate(connection: Connection) -> None:
    context.configure(connection=connection, target_metadata=metadata)
    # No transaction here: the caller's holds the lock and commits all steps or none.
    context.run_migrations()


_migrate(context.config.attributes["connection"])
