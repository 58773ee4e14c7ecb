"""Pictures of an episode from the frame store: nothing is decoded from the video for them."""

from bisect import bisect_right
from collections.abc import Sequence
from dataclasses import dataclass
from fractions import Fraction
from pathlib import Path

from castline.asking.names import EpisodeReference, require_episode
from castline.asking.times import Time, exact_seconds
from castline.browsing.values import Contact
from castline.errors import NotFoundError
from db.engine import Transaction
from db.library.all_runs import chunk_ranges
from db.library.runs import current_run_of, ended_chunks
from db.questions.appearances import find_appearances
from db.records import EpisodeRecord
from exact.ranges import PtsRanges
from ingest.storage.frame_store import FrameStore, read_jpeg, read_jpegs
from ingest.storage.jpegs import contact_sheet
from worker.installation import Installation
from worker.parameters import RunParameters

COLUMNS = 10
"""Pictures in a row of a contact sheet, which has as many rows."""

HEIGHT = 90
"""Pixels of a picture on a contact sheet: a sheet of 100 takes about 300 kB."""


@dataclass(frozen=True)
class _Frames:
    """The stored frames of an episode's current run."""

    store: FrameStore
    episode: EpisodeRecord
    every_seconds: Fraction
    chunks: PtsRanges

    @classmethod
    def of(
        cls, connection: Transaction, installation: Installation, reference: EpisodeReference
    ) -> "tuple[_Frames, int]":
        """Return the frames of the episode that a reference matches, and the run's number."""
        episode = require_episode(connection, reference)
        run = current_run_of(connection, episode.id)
        if run is None:
            raise NotFoundError(f"{episode.name}: no frames are stored yet, since no run ended")
        every_seconds = RunParameters.from_json(run.params).every_seconds
        chunks = chunk_ranges(connection, run.id)
        return cls(installation.frames, episode, every_seconds, chunks), run.id

    def path_at(self, pts: int) -> Path:
        """Return the file with the frame on display at a time."""
        number = max(bisect_right(self.chunks, pts, key=lambda chunk: chunk[0]) - 1, 0)
        start_pts, end_pts = self.chunks[number]
        path = self.store.path_for(
            self.episode.sha256, self.every_seconds, start_pts, end_pts, self.episode.area
        )
        self.store.fetch(path)
        return path

    def jpeg_at(self, pts: int) -> bytes:
        """Return the frame on display at a time."""
        return read_jpeg(self.path_at(pts), pts)

    def jpegs(self, times: Sequence[int]) -> list[bytes]:
        """Return the frames of these pts, which ascend; each file is opened once."""
        found: list[bytes] = []
        by_path: dict[Path, list[int]] = {}
        for pts in times:
            by_path.setdefault(self.path_at(pts), []).append(pts)
        for path, own in by_path.items():
            found += read_jpegs(path, own)
        return found


def still(installation: Installation, reference: EpisodeReference, at: Time | None) -> bytes:
    """Return the stored frame at a time as JPEG; see `Library.still`."""
    with installation.database.read() as connection:
        frames, run_id = _Frames.of(connection, installation, reference)
        episode = frames.episode
        if at is None:
            pts = _telling_pts(connection, episode, run_id)
        else:
            pts = episode.start_pts + int(exact_seconds(at) / episode.time_base)
    return frames.jpeg_at(pts)


def _telling_pts(connection: Transaction, episode: EpisodeRecord, run_id: int) -> int:
    """Return the middle of the longest appearance: a frame that shows what an episode is about."""
    found = find_appearances(connection, run_ids=[run_id])
    lengths = {
        item.appearance.end_pts - item.appearance.start_pts: item.appearance for item in found
    }
    if not lengths:
        return (episode.start_pts + episode.end_pts) // 2
    longest = lengths[max(lengths)]
    return (longest.start_pts + longest.end_pts) // 2


def contact(installation: Installation, reference: EpisodeReference) -> Contact:
    """Return the geometry and the times of an episode's contact sheets."""
    with installation.database.read() as connection:
        frames, run_id = _Frames.of(connection, installation, reference)
        times = _sampled(connection, run_id)
    episode = frames.episode
    seconds = [float(episode.seconds_at(pts)) for pts in times]
    size = COLUMNS * COLUMNS
    sheets = tuple(tuple(seconds[start : start + size]) for start in range(0, len(seconds), size))
    return Contact(COLUMNS, _width_of(episode), HEIGHT, sheets)


def sheet(installation: Installation, reference: EpisodeReference, number: int) -> bytes:
    """Return a contact sheet as JPEG; see `Library.contact_sheet`."""
    with installation.database.read() as connection:
        frames, run_id = _Frames.of(connection, installation, reference)
        times = _sampled(connection, run_id)
    size = COLUMNS * COLUMNS
    own = times[number * size : (number + 1) * size]
    if number < 0 or not own:
        raise NotFoundError(f"sheet {number}: there are {-(-len(times) // size)} of this episode")
    return contact_sheet(frames.jpegs(own), COLUMNS, _width_of(frames.episode), HEIGHT)


def _sampled(connection: Transaction, run_id: int) -> list[int]:
    tagged, _ = ended_chunks(connection, run_id)
    return [pts for chunk in tagged for pts in chunk.sampled_pts]


def _width_of(episode: EpisodeRecord) -> int:
    shape = episode.area.width * episode.sample_aspect_ratio / episode.area.height
    return max(1, round(HEIGHT * shape))
