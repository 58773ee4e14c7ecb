"""Copies of episodes that lie on shared storage, each under the SHA-256 of its content."""

import fcntl
import hashlib
import time
import uuid
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

from ingest.errors import VideoError
from ingest.storage.kept_files import LocalFiles
from ingest.storage.remote_files import RemoteFiles

WAIT_SECONDS = 0.2
"""Between looks at a copy that another process is fetching."""


def _nothing() -> None:
    """Told of progress, does nothing."""


@dataclass(frozen=True)
class EpisodeCache:
    """The folder of copies."""

    folder: Path
    """Where they lie; made with the first of them."""

    def path_for(self, sha256: str) -> Path:
        """Where the copy of an episode lies, if it is here."""
        return self.folder / sha256[:2] / sha256

    def add(self, url: str) -> Path:
        """Fetch a file whose content is not known yet.

        Returns:
            Its copy, named by the SHA-256 of what came.

        Raises:
            VideoError: There is no such file.
            StorageUnreachable: The storage does not answer.
        """
        came = self.folder / f".{uuid.uuid4().hex}.part"
        try:
            _fetch(url, came, _nothing)
            path = self.path_for(_sha256(came))
            path.parent.mkdir(parents=True, exist_ok=True)
            came.replace(path)
        finally:
            came.unlink(missing_ok=True)
        return path

    def fetch(self, url: str, sha256: str, on_progress: Callable[[], None] = _nothing) -> Path:
        """Give the copy of an episode, fetched and checked unless it is here.

        Of several processes that want the same episode, one fetches and the others wait.

        Args:
            url: Where it lies.
            sha256: Its identity.
            on_progress: Called now and then; whatever it raises ends the fetching.

        Raises:
            VideoError: There is no such file, or its content is another by now.
            StorageUnreachable: The storage does not answer.
        """
        path = self.path_for(sha256)
        with self._only_one(sha256, on_progress):
            if not path.exists():
                came = path.with_name(f".{sha256}.{uuid.uuid4().hex}.part")
                try:
                    _fetch(url, came, on_progress)
                    if _sha256(came) != sha256:
                        raise VideoError(f"{url}: was changed since it was added; enqueue it again")
                    came.replace(path)
                finally:
                    came.unlink(missing_ok=True)
            LocalFiles(self.folder).mark_used(path.relative_to(self.folder).as_posix())
        return path

    @contextmanager
    def _only_one(self, sha256: str, on_progress: Callable[[], None]) -> Iterator[None]:
        lock = self.path_for(sha256).with_name(f".{sha256}.lock")
        lock.parent.mkdir(parents=True, exist_ok=True)
        with lock.open("a") as file:
            while not _locked(file.fileno()):
                on_progress()
                time.sleep(WAIT_SECONDS)
            yield  # closing the file, or dying, gives the lock back


def _locked(descriptor: int) -> bool:
    try:
        fcntl.flock(descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except BlockingIOError:
        return False
    return True


def _fetch(url: str, path: Path, on_progress: Callable[[], None]) -> None:
    folder, _, name = url.rpartition("/")
    try:
        RemoteFiles(folder).fetch(name, path, on_progress)
    except FileNotFoundError as error:
        raise VideoError(f"{url}: no such file; check the name and the bucket") from error


def _sha256(path: Path) -> str:
    with path.open("rb") as file:
        return hashlib.file_digest(file, "sha256").hexdigest()
