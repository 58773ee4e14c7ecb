"""Pictures of an episode's moments, from the frame store: nothing is decoded for them."""

from fractions import Fraction

from db.engine import Transaction
from db.library import chunk_ranges
from db.records import EpisodeRecord, RunRecord
from ingest.errors import FrameStoreError, StorageUnreachable
from ingest.frame_store import FrameStore, read_jpeg
from ingest.probe import PictureArea
from worker.parameters import RunParameters


class Thumbnails:
    """The stored frames of one run, as JPEG files' contents."""

    def __init__(
        self, connection: Transaction, store: FrameStore, run: RunRecord, episode: EpisodeRecord
    ) -> None:
        self._episode = episode
        self._store = store
        self._every_seconds = RunParameters.from_json(run.params).every_seconds
        self._chunks = chunk_ranges(connection, run.id)

    def at(self, seconds: Fraction) -> bytes | None:
        """The frame on display so long after the episode's first; None where none is stored."""
        episode = self._episode
        pts = episode.start_pts + int(seconds / episode.time_base)
        for start_pts, end_pts in self._chunks:
            if start_pts <= pts < end_pts:
                area = PictureArea(*episode.area)
                path = self._store.path_for(
                    episode.sha256, self._every_seconds, start_pts, end_pts, area
                )
                try:
                    self._store.fetch(path)
                    return read_jpeg(path, pts)
                except (FrameStoreError, StorageUnreachable):
                    return None
        return None
