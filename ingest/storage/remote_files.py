"""Files on storage that many machines share, through fsspec: `s3://bucket/prefix`.

An S3 object is written atomically. The server and the credentials come from the same environment
variables as for other tools: AWS_ENDPOINT_URL, AWS_ACCESS_KEY_ID, AWS_PROFILE and so on.
"""

import errno
import time
import uuid
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from datetime import datetime
from pathlib import Path
from typing import Any

from ingest.errors import StorageFullError, StorageUnreachable
from ingest.storage.kept_files import KeptFile

SCHEME = "s3://"

CONNECT_SECONDS, SILENT_SECONDS = 10, 60
"""Timeouts, after which the client retries, five times in all."""


def is_remote(place: str) -> bool:
    """Tell whether a place is a URL rather than a path."""
    return place.startswith(SCHEME)


class RemoteFiles:
    """The files below a URL.

    Args:
        url: A URL such as `s3://bucket/prefix`.

    Raises:
        StorageUnreachable: The client library for such storage is not installed.
    """

    def __init__(self, url: str) -> None:
        self.url = url.rstrip("/")
        self._root = self.url.removeprefix(SCHEME)
        self._files = _file_system()

    def url_of(self, name: str) -> str:
        """Return the URL of a file."""
        return f"{self.url}/{name}"

    def has(self, name: str) -> bool:
        """Tell whether the file exists."""
        with self._errors(name):
            return bool(self._files.isfile(self._key(name)))

    def fetch(self, name: str, path: Path, on_progress: Callable[[], None] | None = None) -> None:
        """Copy a remote file to a local path atomically.

        Args:
            name: Name of the file.
            path: The local path; an existing file is replaced.
            on_progress: Called with each block; an exception that it raises propagates.

        Raises:
            FileNotFoundError: There is no such file.
            StorageUnreachable: The storage does not answer, or the local file cannot be written.
            StorageFullError: There is no local space.
        """
        part = path.with_name(f".{path.name}.{uuid.uuid4().hex}.part")
        _make(part)
        try:
            with self._errors(name):
                self._files.get_file(self._key(name), str(part), callback=_callback(on_progress))
            part.replace(path)
        finally:
            part.unlink(missing_ok=True)

    def store(self, path: Path, name: str) -> None:
        """Copy a local file to the storage atomically.

        Raises:
            StorageUnreachable: The storage does not answer or does not accept the file.
        """
        with self._errors(name), self._bucket_there():
            self._files.put_file(str(path), self._key(name))

    def entries(self) -> Iterator[KeptFile]:
        """Yield every file."""
        with self._errors(""), self._bucket_there():
            found: dict[str, Any] = self._files.find(self._root, detail=True)
        for key, about in found.items():
            yield KeptFile(key[len(self._root) + 1 :], about["size"], _used_at(about))

    def mark_used(self, name: str) -> None:
        """Mark a file as used now by rewriting its metadata: S3 keeps no other time."""
        with self._errors(name):
            self._files.setxattr(self._key(name), castline_used=f"{time.time():.0f}")

    def evict(self, name: str, unless_used_since: float) -> bool:
        """Delete a file, unless it was used since that time; return whether it is gone."""
        with self._errors(name), suppress(FileNotFoundError):
            if _used_at(self._files.info(self._key(name))) > unless_used_since:
                return False
            self._files.rm_file(self._key(name))
            return True
        return False

    def _key(self, name: str) -> str:
        return f"{self._root}/{name}" if name else self._root

    @contextmanager
    def _bucket_there(self) -> Iterator[None]:
        try:
            yield
        except FileNotFoundError as error:
            raise StorageUnreachable(f"{self.url}: no such bucket; make it first") from error

    @contextmanager
    def _errors(self, name: str) -> Iterator[None]:
        from botocore.exceptions import BotoCoreError, ClientError

        url = self.url_of(name)
        try:
            yield
        except FileNotFoundError:
            raise
        except PermissionError as error:
            raise StorageUnreachable(
                f"{url}: is refused to these credentials; check AWS_ACCESS_KEY_ID and its rights"
            ) from error
        except OSError as error:
            if error.errno in _FULL:
                raise StorageFullError(
                    f"{url}: no room here for a copy; free some space"
                ) from error
            raise StorageUnreachable(f"{url}: {_one_line(error)}; {_REMEDY}") from error
        except (BotoCoreError, ClientError) as error:
            raise StorageUnreachable(f"{url}: {_one_line(error)}; {_REMEDY}") from error


def _make(part: Path) -> None:
    """Create an empty local file, so that local failures are not blamed on the storage."""
    try:
        part.parent.mkdir(parents=True, exist_ok=True)
        part.touch()
    except OSError as error:
        kind = StorageFullError if error.errno in _FULL else StorageUnreachable
        raise kind(
            f"{part.parent}: no copy can be kept there ({error.strerror}); free some space, or"
            " change its rights"
        ) from error


_FULL = (errno.ENOSPC, errno.EDQUOT)

_REMEDY = "check AWS_ENDPOINT_URL and that the storage runs"


def _file_system() -> Any:
    try:
        import fsspec
        import s3fs  # noqa: F401
    except ImportError as error:
        raise StorageUnreachable(
            f"{SCHEME}: nothing here speaks to it; install castline[s3]"
        ) from error
    return fsspec.filesystem(
        "s3",
        use_listings_cache=False,  # other machines write there too
        config_kwargs={"connect_timeout": CONNECT_SECONDS, "read_timeout": SILENT_SECONDS},
    )


def _callback(on_progress: Callable[[], None] | None) -> Any:
    from fsspec.callbacks import Callback

    def tell(_size: int, _value: int, **_more: object) -> None:
        if on_progress is not None:
            on_progress()

    return Callback(hooks={"progress": tell})


def _used_at(about: dict[str, Any]) -> float:
    modified = about["LastModified"]
    assert isinstance(modified, datetime), "S3 says of every object when it was written"
    return modified.timestamp()


def _one_line(error: Exception) -> str:
    return " ".join(str(error).split()) or type(error).__name__
