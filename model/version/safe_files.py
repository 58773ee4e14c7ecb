"""Read files of an untrusted folder within limits, and write files durably."""

import hashlib
import os
import shutil
import stat
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from model.errors import ArtifactError


def read_regular_file(path: Path, limit_bytes: int, folder: int | None = None) -> bytes:
    """Return the content of a regular file, opened once and never through a link.

    Args:
        path: The file.
        limit_bytes: Largest size allowed.
        folder: Descriptor of the folder that contains it, from `open_folder`, so that the folder
            cannot be swapped for another.

    Raises:
        ArtifactError: The file is missing, a link, not a regular file, or larger than the limit.
    """
    try:
        # without O_NONBLOCK, opening a named pipe would block for ever
        flags = os.O_RDONLY | getattr(os, "O_NOFOLLOW", 0) | getattr(os, "O_NONBLOCK", 0)
        name = path if folder is None else path.name
        opened = os.open(name, flags, dir_fd=folder)
        with open(opened, "rb") as file:  # noqa: PTH123 (Path cannot take flags)
            found = os.fstat(file.fileno())
            if not stat.S_ISREG(found.st_mode):
                raise ArtifactError(f"{path}: not a regular file; fetch the model version again")
            content = file.read(limit_bytes + 1) if found.st_size <= limit_bytes else None
    except OSError as error:
        raise ArtifactError(
            f"{path}: cannot be read ({error.strerror}); is this a model version's folder?"
        ) from error
    if content is None or len(content) > limit_bytes:  # it may have grown since
        raise ArtifactError(f"{path}: larger than {limit_bytes >> 20} MB; fetch it again")
    return content


@contextmanager
def open_folder(path: Path, parent: int | None = None) -> Iterator[int]:
    """Yield a descriptor of a folder that is not a link.

    Args:
        path: The folder.
        parent: Descriptor of the folder that contains it.

    Raises:
        OSError: It is missing, a link or not a folder.
    """
    flags = os.O_RDONLY | os.O_DIRECTORY | os.O_NOFOLLOW
    opened = os.open(path if parent is None else path.name, flags, dir_fd=parent)
    try:
        yield opened
    finally:
        os.close(opened)


def read_checked_file(path: Path, limit_bytes: int, sha256: str, what: str) -> bytes:
    """Return the content of a regular file whose SHA-256 a manifest names.

    Args:
        path: The file.
        limit_bytes: Largest size allowed.
        sha256: SHA-256 of its content, as hexadecimal digits.
        what: Name of its content, in the plural, for the message of an error.

    Raises:
        ArtifactError: The file cannot be read, or has other content.
    """
    content = read_regular_file(path, limit_bytes)
    if hashlib.sha256(content).hexdigest() != sha256:
        raise ArtifactError(f"{path}: not the {what} that the manifest names; fetch them again")
    return content


def write_synced_file(path: Path, content: bytes) -> None:
    """Write a new file and wait until it is on the disk."""
    with path.open("xb") as file:
        file.write(content)
        file.flush()
        os.fsync(file.fileno())


@contextmanager
def whole_folder(folder: Path) -> Iterator[Path]:
    """Yield a hidden folder to fill; it is renamed on success, and removed otherwise.

    Args:
        folder: The final name; nothing may exist there.
    """
    folder.parent.mkdir(parents=True, exist_ok=True)
    unfinished = Path(tempfile.mkdtemp(prefix=f".{folder.name}.", dir=folder.parent))
    try:
        yield unfinished
        unfinished.chmod(0o755)  # mkdtemp keeps others out; a model may be shared
        unfinished.rename(folder)
    finally:
        shutil.rmtree(unfinished, ignore_errors=True)


def check_entries(folder: Path, files: frozenset[str], folders: frozenset[str]) -> None:
    """Refuse a folder that is a link, or holds a link or anything that does not belong there.

    Raises:
        ArtifactError: Names the first such entry.
    """
    try:
        if folder.is_symlink():
            raise ArtifactError(f"{folder}: a link; give the model version's own folder")
        entries = sorted(os.scandir(folder), key=lambda entry: entry.name)
    except OSError as error:
        raise ArtifactError(
            f"{folder}: cannot be read ({error.strerror}); give a model version's folder"
        ) from error
    for entry in entries:
        expected = folders if entry.is_dir() else files
        if entry.is_symlink() or entry.name not in expected:
            raise ArtifactError(
                f"{folder}: {entry.name} does not belong in a model version; "
                f"keep only {', '.join(sorted(files | folders))}"
            )
