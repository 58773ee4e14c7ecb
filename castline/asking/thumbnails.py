"""Thumbnails of an episode from the frame store: nothing is decoded for them."""

from collections.abc import Collection
from fractions import Fraction
from pathlib import Path

from db.engine import Transaction
from db.library.all_runs import chunk_ranges
from db.library.places import surest_place
from db.records import EpisodeRecord, RunRecord
from exact.place import Place
from ingest.errors import FrameStoreError, StorageUnreachable
from ingest.sampling import on_display
from ingest.storage.frame_store import read_jpeg, read_manifest
from ingest.storage.jpegs import cut_jpeg
from worker.installation import Installation
from worker.parameters import RunParameters

SMALLEST = 0.4
"""Least extent of a crop along each side: 58 of the 144 lines of a wide picture, where a face of a
third of that height is still recognisable, with enough around it to recognise the scene."""


class Thumbnails:
    """Thumbnails of one run's stored frames, as JPEG content."""

    def __init__(
        self,
        connection: Transaction,
        installation: Installation,
        run: RunRecord,
        episode: EpisodeRecord,
        seen_by: Collection[int] = (),
    ) -> None:
        """Prepare to read a run's frames.

        Args:
            connection: An open transaction, which may end before a picture is requested: reading
                pictures takes long, and on SQLite a reader blocks writers.
            installation: The installation.
            run: The run whose frames are read.
            episode: The episode of the run.
            seen_by: The numbers of the runs whose tags give the places of labels.
        """
        self._database = installation.database
        self._episode = episode
        self._store = installation.frames
        self._every_seconds = RunParameters.from_json(run.params).every_seconds
        self._chunks = chunk_ranges(connection, run.id)
        self._seen_by = seen_by

    def of(self, label: str, seconds: Fraction) -> bytes | None:
        """Return a crop around a label in the frame on display at a time after the first frame.

        The whole frame where no run gives a place; None where no frame is stored.
        """
        pts = self._episode.start_pts + int(seconds / self._episode.time_base)
        path = self._path_at(pts)
        if path is None:
            return None
        try:
            self._store.fetch(path)
            shown_pts = on_display([pts], read_manifest(path).pts)[pts]
            jpeg = read_jpeg(path, pts)
            place = None if shown_pts is None else self._place(label, shown_pts)
            return jpeg if place is None else cut_jpeg(jpeg, place.surroundings(SMALLEST))
        except (FrameStoreError, StorageUnreachable):
            return None

    def _path_at(self, pts: int) -> Path | None:
        episode = self._episode
        for start_pts, end_pts in self._chunks:
            if start_pts <= pts < end_pts:
                return self._store.path_for(
                    episode.sha256, self._every_seconds, start_pts, end_pts, episode.area
                )
        return None

    def _place(self, label: str, pts: int) -> Place | None:
        with self._database.read() as connection:
            return surest_place(connection, self._seen_by, label, pts)
