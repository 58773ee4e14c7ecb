"""Local copies of episodes from shared storage, each named by the SHA-256 of its content."""

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
"""Interval of polling for a copy that another process is fetching."""


def _nothing() -> None:
    """Ignore progress."""


@dataclass(frozen=True)
class EpisodeCache:
    """The folder of copies."""

    folder: Path
    """The folder, created with the first copy."""

    def path_for(self, sha256: str) -> Path:
        """Return the path of an episode's copy, which may not exist yet."""
        return self.folder / sha256[:2] / sha256

    def add(self, url: str) -> Path:
        """Fetch a file whose content is not known yet.

        Args:
            url: URL of the file.

        Returns:
            The path of the copy, named by the SHA-256 of its content.

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
        """Return the copy of an episode, fetched and verified unless it is already present.

        If several processes want the same episode, one fetches and the others wait.

        Args:
            url: URL of the file.
            sha256: SHA-256 of its content.
            on_progress: Called now and then; an exception that it raises ends the fetching.

        Returns:
            The path of the copy.

        Raises:
            VideoError: There is no such file, or its content has changed.
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
            yield  # closing the file, or dying, releases the lock


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
