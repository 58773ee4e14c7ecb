"""The one module that wires settings, database, frame store and models together."""

from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from functools import cached_property
from typing import TYPE_CHECKING

from db.engine import Database
from db.patience import Patience
from db.retrying import retry_on_lock
from db.upgrade import upgrade_database
from worker.settings import Settings
from worker.steps.statistics import StatisticsRecorder
from worker.telemetry.metrics import Metrics, open_metrics

if TYPE_CHECKING:  # questions need neither frames nor episodes
    from ingest.storage.episode_cache import EpisodeCache
    from ingest.storage.frame_store import FrameStore


@dataclass(frozen=True)
class Installation:
    """An installation that is ready for use: its settings and its migrated database."""

    settings: Settings
    database: Database

    @cached_property
    def frames(self) -> "FrameStore":
        """The frame store."""
        return open_frame_store(self.settings)

    @cached_property
    def metrics(self) -> Metrics:
        """The counters of this process."""
        return open_metrics(self.settings)

    @cached_property
    def statistics(self) -> StatisticsRecorder:
        """The statistics of this process."""
        return StatisticsRecorder()

    @property
    def episode_cache(self) -> "EpisodeCache":
        """Local copies of episodes from shared storage."""
        from ingest.storage.episode_cache import EpisodeCache

        return EpisodeCache(self.settings.episodes_folder)


def open_frame_store(settings: Settings) -> "FrameStore":
    """Return the frame store of the settings.

    Raises:
        StorageUnreachable: The client library for its storage is not installed.
    """
    from ingest.storage.frame_store import FrameStore
    from ingest.storage.remote_files import RemoteFiles

    shared = RemoteFiles(settings.frames_url) if settings.frames_url else None
    return FrameStore(settings.frames_folder, shared)


@contextmanager
def open_installation(
    settings: Settings, patience: Patience | None = None
) -> Iterator[Installation]:
    """Open the installation of the settings; its database is migrated if needed.

    Args:
        settings: Settings of the installation.
        patience: How long to wait for the database from now on; by default as long as a command.

    Yields:
        The installation.

    Raises:
        DatabaseError: The database cannot be opened or migrated.
    """
    database = Database(settings.database_url, patience)
    try:
        # A missing server is reported immediately: its URL may be wrong.
        (retry_on_lock(upgrade_database) if patience else upgrade_database)(database)
        yield Installation(settings, database)
    finally:
        database.dispose()
