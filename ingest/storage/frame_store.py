"""The frame store: a chunk's sampled frames in one file that any tool opens.

The file is a ZIP archive with uncompressed entries: JPEG pictures named by number and pts
(`000012_144144.jpg`), in display order, and `manifest.json`, which describes them. A truncated
archive has no directory at its end and is refused as a whole.
"""

import errno
import os
import struct
import uuid
import zipfile
from bisect import bisect_right
from collections.abc import Callable, Iterable, Iterator
from contextlib import suppress
from dataclasses import dataclass, replace
from fractions import Fraction
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt

from exact.picture_area import PictureArea
from ingest.cuts import Cuts
from ingest.errors import FrameStoreError, StorageFullError
from ingest.storage.jpegs import decode_jpeg, decode_thumbnail, encode_jpeg
from ingest.storage.kept_files import KeptFiles, LocalFiles
from ingest.storage.remote_files import RemoteFiles
from ingest.storage.store_manifest import FORMAT_VERSION as FORMAT_VERSION  # noqa: PLC0414 - also known here
from ingest.storage.store_manifest import StoreManifest

MANIFEST = "manifest.json"

MAX_ENTRY_BYTES = 4 << 20
"""No stored picture comes near this size; a larger entry is foreign and is not read into memory."""

_EPOCH = (1980, 1, 1, 0, 0, 0)
"""The earliest date that a ZIP can hold: equal frames make equal files."""

_UNREADABLE = (
    OSError,
    EOFError,
    LookupError,
    RuntimeError,
    ValueError,
    struct.error,
    zipfile.BadZipFile,
)
"""Exceptions of the standard library on damaged archives: NotImplementedError (a RuntimeError) for
a version from the future, UnicodeDecodeError (a ValueError) for a name, KeyError for a lost
entry."""


@dataclass(frozen=True)
class StoredFrame:
    """A sampled frame: its pts, and uint8 (h, w, 3) RGB of the active picture area."""

    pts: int
    picture: npt.NDArray[np.uint8]

    def __post_init__(self) -> None:
        """Check the picture's type and shape."""
        shape = self.picture.shape
        if self.picture.dtype != np.uint8 or len(shape) != 3 or shape[2] != 3:
            raise ValueError(f"not an RGB picture: {self.picture.dtype} {shape}")


@dataclass(frozen=True)
class FrameStore:
    """The folder of frame store files, or a cache of one on shared storage."""

    folder: Path
    """Where the files are written and read; created with the first file."""
    shared: RemoteFiles | None = None
    """Storage shared by all machines; None where the files are in `folder` only."""

    def path_for(
        self,
        sha256: str,
        every_seconds: Fraction,
        start_pts: int,
        end_pts: int,
        picture_area: PictureArea,
    ) -> Path:
        """Return the unique path of a chunk's frames: equal parameters give equal paths."""
        area = picture_area
        every = f"{every_seconds.numerator}-{every_seconds.denominator}"
        cut = f"{area.width}x{area.height}+{area.x}+{area.y}"
        parameters = f"v{FORMAT_VERSION}_every_{every}_area_{cut}"
        return self.folder / sha256[:2] / sha256 / parameters / f"{start_pts}_{end_pts}.zip"

    def fetch(self, path: Path) -> None:
        """Copy a file from shared storage, if another machine wrote it.

        Raises:
            StorageUnreachable: The shared storage does not answer.
        """
        if self.shared is not None and not path.exists():
            with suppress(FileNotFoundError):  # the reader's error says what to do
                self.shared.fetch(self.name_of(path), path)

    def publish(self, path: Path) -> None:
        """Copy a file that was written here to shared storage.

        Raises:
            StorageUnreachable: The shared storage does not accept the file.
        """
        if self.shared is not None:
            self.shared.store(path, self.name_of(path))

    def forget(self, path: Path) -> None:
        """Drop the cached copy of a file that turned out bad: another process may rewrite it."""
        if self.shared is not None:
            path.unlink(missing_ok=True)

    def mark_used(self, path: Path) -> None:
        """Mark a file as used, so that it is evicted later than others.

        Raises:
            FrameStoreError: The file is gone.
        """
        try:
            self.kept_files.mark_used(self.name_of(path))
        except FileNotFoundError as error:
            raise FrameStoreError(f"{path}: no such frames; extract the chunk again") from error

    def name_of(self, path: Path) -> str:
        """Return the name of a file within the store."""
        return path.relative_to(self.folder).as_posix()

    @property
    def kept_files(self) -> KeptFiles:
        """The files in their permanent place."""
        return self.shared or LocalFiles(self.folder)

    def remove_leftovers(self, older_than_seconds: float) -> int:
        """Delete files that killed writers left behind; see `LocalFiles.remove_leftovers`."""
        return LocalFiles(self.folder).remove_leftovers(older_than_seconds)


def write_frames(
    path: Path,
    frames: Iterable[StoredFrame],
    manifest: StoreManifest,
    cuts: Callable[[], Cuts | None] = lambda: None,
) -> None:
    """Write a frame store file atomically.

    Args:
        path: A path from `FrameStore.path_for`; an existing file is replaced.
        frames: The frames in display order.
        manifest: Their description; its `pts` are filled in from the frames.
        cuts: Returns the manifest's `cuts`, once the last frame was taken.

    Raises:
        FrameStoreError: The file cannot be written; StorageFullError where there is no space.
    """
    part = path.with_name(f".{path.name}.{uuid.uuid4().hex}.part")
    try:
        path.parent.mkdir(parents=True, exist_ok=True)
        with part.open("xb") as file:
            _write_archive(file, frames, manifest, cuts)
            file.flush()
            os.fsync(file.fileno())
        part.replace(path)
        _sync_folder(path.parent)
    except OSError as error:
        if error.errno in (errno.ENOSPC, errno.EDQUOT):
            raise StorageFullError(
                f"{path.parent}: no room for more frames; free some space"
            ) from error
        reason = error.strerror or type(error).__name__
        raise FrameStoreError(
            f"{path}: frames cannot be written ({reason}); check free space and rights"
        ) from error
    finally:
        with suppress(OSError):
            part.unlink(missing_ok=True)


def _write_archive(
    file: Any,
    frames: Iterable[StoredFrame],
    manifest: StoreManifest,
    cuts: Callable[[], Cuts | None],
) -> None:
    times: list[int] = []
    with zipfile.ZipFile(file, "w", zipfile.ZIP_STORED) as archive:
        for number, frame in enumerate(frames):
            times.append(frame.pts)
            archive.writestr(_entry(number, frame.pts), encode_jpeg(frame.picture))
        text = replace(manifest, pts=tuple(times), cuts=cuts()).to_json()
        archive.writestr(zipfile.ZipInfo(MANIFEST, _EPOCH), text)


def _entry(number: int, pts: int) -> zipfile.ZipInfo:
    return zipfile.ZipInfo(f"{number:06d}_{pts}.jpg", _EPOCH)


def _sync_folder(folder: Path) -> None:
    """Make the new name survive a loss of power."""
    descriptor = os.open(folder, os.O_RDONLY)
    try:
        os.fsync(descriptor)
    finally:
        os.close(descriptor)


def read_manifest(path: Path) -> StoreManifest:
    """Read the description of a frame store file, without its pictures.

    Raises:
        FrameStoreError: The file is missing or damaged.
    """
    with _opened(path) as archive:
        return _manifest(path, archive)


def read_frames(path: Path) -> Iterator[StoredFrame]:
    """Read a frame store file in display order.

    Yields:
        Each frame with its exact pts.

    Raises:
        FrameStoreError: The file is missing or damaged.
    """
    with _opened(path) as archive:
        for number, pts in enumerate(_manifest(path, archive).pts):
            yield StoredFrame(pts, _picture(path, archive, _entry(number, pts).filename))


def read_thumbnails(path: Path) -> tuple[StoreManifest, list[npt.NDArray[np.uint8]]]:
    """Read a frame store file at an eighth of its size, which takes a third of the time.

    Returns:
        The file's description, and for each frame uint8 (h, w, 3) RGB.

    Raises:
        FrameStoreError: The file is missing or damaged.
    """
    with _opened(path) as archive:
        manifest = _manifest(path, archive)
        names = [_entry(number, pts).filename for number, pts in enumerate(manifest.pts)]
        return manifest, [_picture(path, archive, name, decode_thumbnail) for name in names]


def _opened(path: Path) -> zipfile.ZipFile:
    try:
        return zipfile.ZipFile(path)
    except FileNotFoundError as error:
        raise FrameStoreError(f"{path}: no such frames; extract the chunk again") from error
    except _UNREADABLE as error:
        raise FrameStoreError(f"{path}: damaged frames; delete it and extract again") from error


def _entry_bytes(path: Path, archive: zipfile.ZipFile, name: str) -> bytes:
    try:
        entry = archive.getinfo(name)
        if entry.file_size > MAX_ENTRY_BYTES:
            raise FrameStoreError(f"{path}: {name} is too large; delete it and extract again")
        if entry.compress_type != zipfile.ZIP_STORED:
            raise zipfile.BadZipFile(f"compressed by method {entry.compress_type}")
        return archive.read(entry)
    except _UNREADABLE as error:
        message = f"{path}: {name} is missing or damaged; delete it and extract again"
        raise FrameStoreError(message) from error


def _manifest(path: Path, archive: zipfile.ZipFile) -> StoreManifest:
    try:
        return StoreManifest.from_json(_entry_bytes(path, archive, MANIFEST))
    except ValueError as error:
        raise FrameStoreError(f"{path}: {error}; delete it and extract again") from error


def _picture(
    path: Path,
    archive: zipfile.ZipFile,
    name: str,
    decode: Callable[[bytes], npt.NDArray[np.uint8] | None] = decode_jpeg,
) -> npt.NDArray[np.uint8]:
    picture = decode(_entry_bytes(path, archive, name))
    if picture is None:
        raise FrameStoreError(f"{path}: {name} is not a picture; delete it and extract again")
    return picture


def read_jpeg(path: Path, pts: int) -> bytes:
    """Return the stored picture on display at a time of the chunk, as JPEG.

    Args:
        path: The frame store file of the chunk.
        pts: The time; before the first stored frame, that frame is returned.

    Returns:
        The JPEG as it is stored.

    Raises:
        FrameStoreError: The file is missing, damaged or without pictures.
    """
    with _opened(path) as archive:
        times = _manifest(path, archive).pts
        if not times:
            raise FrameStoreError(f"{path}: holds no pictures; extract the chunk again")
        number = max(bisect_right(times, pts) - 1, 0)
        return _entry_bytes(path, archive, _entry(number, times[number]).filename)
