"""Keep local and shared storage within its limits."""

import logging
from collections.abc import Callable
from functools import cache

from db.queue.usage import ChunkInUse, chunks_in_use
from db.retrying import retry_on_disconnect
from ingest.storage.kept_files import KeptFiles, LocalFiles, keep_below
from worker.installation import Installation
from worker.parameters import RunParameters

TIDY_SECONDS = 60.0
"""Interval of checks: one reads the name of every file, a second or two for 10,000 episodes, and a
decoder process adds about a megabyte per second."""

LEFTOVER_SECONDS = 3600.0
"""An unfinished file this old belongs to a killed process: writing one takes seconds, and fetching
an episode minutes."""

log = logging.getLogger(__name__)


def tidy_storage(installation: Installation) -> None:
    """Remove leftovers of killed writers, and unused files that exceed the limits.

    Any number of workers may do so concurrently.

    Raises:
        StorageUnreachable: The frame store is on storage that does not answer.
        DatabaseError: The database cannot be used.
    """
    settings = installation.settings
    installation.frames.remove_leftovers(LEFTOVER_SECONDS)
    copies = LocalFiles(settings.cache_folder)
    copies.remove_leftovers(LEFTOVER_SECONDS)
    if settings.frames_limit_bytes is not None:
        _keep_below(
            installation,
            installation.frames.kept_files,
            settings.frames_limit_bytes,
            lambda chunk: [_frames_name(installation, chunk)],
        )
    if settings.cache_folder.is_dir():
        _keep_below(
            installation,
            copies,
            settings.cache_limit_bytes,
            lambda chunk: _cached_names(installation, chunk),
        )


def _keep_below(
    installation: Installation,
    files: KeptFiles,
    limit_bytes: int,
    names_of: Callable[[ChunkInUse], list[str]],
) -> None:
    @cache
    @retry_on_disconnect
    def in_use() -> frozenset[str]:
        with installation.database.read() as connection:
            chunks = chunks_in_use(connection)
        return frozenset(name for chunk in chunks for name in names_of(chunk))

    # Queried only where a limit is exceeded, and after the files were listed.
    done = keep_below(files, limit_bytes, lambda name: name in in_use())
    if done.files:
        log.info("evicted", extra={"files": done.files, "bytes": done.size_bytes})
    if done.left_bytes > limit_bytes:
        log.info(
            "over the limit, all is in use",
            extra={"bytes": done.left_bytes, "limit_bytes": limit_bytes},
        )


def _frames_name(installation: Installation, chunk: ChunkInUse) -> str:
    store = installation.frames
    path = store.path_for(
        chunk.sha256,
        RunParameters.from_json(chunk.params).every_seconds,
        chunk.start_pts,
        chunk.end_pts,
        chunk.area,
    )
    return store.name_of(path)


def _cached_names(installation: Installation, chunk: ChunkInUse) -> list[str]:
    """Return the cached files that a chunk needs: its frames, or before extraction its episode."""
    needed = [] if chunk.is_extracted else [installation.episode_cache.path_for(chunk.sha256)]
    if installation.settings.frames_url:
        needed.append(installation.frames.folder / _frames_name(installation, chunk))
    folder = installation.settings.cache_folder
    return [path.relative_to(folder).as_posix() for path in needed]
