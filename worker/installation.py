"""The one place that wires settings, database, frame store and models together."""

from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from functools import cached_property

from db.engine import Database
from db.patience import Patience
from db.retrying import retry_on_lock
from db.upgrade import upgrade_database
from ingest.storage.episode_cache import EpisodeCache
from ingest.storage.frame_store import FrameStore
from ingest.storage.remote_files import RemoteFiles
from worker.metrics import Metrics, open_metrics
from worker.settings import Settings
from worker.steps.statistics import StatisticsRecorder


@dataclass(frozen=True)
class Installation:
    """An installation that is ready for use: its settings and its migrated database."""

    settings: Settings
    database: Database

    @cached_property
    def frames(self) -> FrameStore:
        """The frame store."""
        return open_frame_store(self.settings)

    @cached_property
    def metrics(self) -> Metrics:
        """What this process counts with."""
        return open_metrics(self.settings)

    @cached_property
    def statistics(self) -> StatisticsRecorder:
        """What this process spends."""
        return StatisticsRecorder()

    @property
    def episode_cache(self) -> EpisodeCache:
        """Copies of episodes that lie on shared storage."""
        return EpisodeCache(self.settings.episodes_folder)


def open_frame_store(settings: Settings) -> FrameStore:
    """The frame store that the settings describe.

    Raises:
        StorageUnreachable: What speaks to its storage is not installed.
    """
    shared = RemoteFiles(settings.frames_url) if settings.frames_url else None
    return FrameStore(settings.frames_folder, shared)


@contextmanager
def open_installation(
    settings: Settings, patience: Patience | None = None
) -> Iterator[Installation]:
    """Opens the installation that the settings describe; its database is migrated if need be.

    Args:
        settings: Of the installation.
        patience: How long it waits for its database, from now on; by default as a command does.

    Raises:
        DatabaseError: The database cannot be opened or migrated.
    """
    database = Database(settings.database_url, patience)
    try:
        # A server that is not there is told at once: it may be a wrong URL.
        (retry_on_lock(upgrade_database) if patience else upgrade_database)(database)
        yield Installation(settings, database)
    finally:
        database.dispose()
