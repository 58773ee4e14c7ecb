"""Read the frames on display at random times of episodes, from the frame store.

Such frames have the same quality as the frames that a network sees during tagging. A tagged episode
is not decoded again.
"""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from fractions import Fraction
from pathlib import Path

import numpy as np

from castline.tagging.enqueue import chunks_of, find_picture_area, retry_on_kill
from exact.picture_area import PictureArea
from ingest.decoder.parent import Decoder
from ingest.errors import FrameStoreError
from ingest.frames.chunks import ChunkRange
from ingest.frames.extract_request import Extraction
from ingest.media.probe import Probe
from ingest.sampling import on_display
from ingest.storage.frame_store import StoredFrame, read_frames, read_manifest
from model.progress import Progress
from worker.installation import open_frame_store
from worker.parameters import DEFAULT_EVERY_SECONDS
from worker.settings import Settings

SHORTEST_SECONDS, LONGEST_SECONDS = 4, 10
"""Interval between two random times: 100 to 250 frames at 25 per second, as for the original
set."""


def random_moments(duration_seconds: Fraction, sha256: str, seed: int) -> list[Fraction]:
    """Draw random times, in seconds from the episode's first frame.

    Args:
        duration_seconds: Duration of the episode.
        sha256: SHA-256 of the episode: each episode has other times.
        seed: Each seed gives other times.

    Returns:
        The times, ascending.
    """
    rng = np.random.default_rng([seed, int(sha256[:16], 16)])
    # in steps of the frame store, so that its frames can be used
    shortest, longest = (
        int(seconds / DEFAULT_EVERY_SECONDS) for seconds in (SHORTEST_SECONDS, LONGEST_SECONDS)
    )
    step = int(rng.integers(longest))
    moments = []
    while step * DEFAULT_EVERY_SECONDS < duration_seconds:
        moments.append(step * DEFAULT_EVERY_SECONDS)
        step += int(rng.integers(shortest, longest + 1))
    return moments


@dataclass(frozen=True)
class OpenedEpisode:
    """An episode whose frames can be read."""

    probe: Probe
    area: PictureArea
    chunks: tuple[ChunkRange, ...]

    def seconds(self, pts: int) -> Fraction:
        """Return seconds from the first frame."""
        return self.probe.seconds_at(pts)

    def moment(self, pts: int) -> str:
        """Return the time as in the comments of pictures, to the millisecond."""
        return f"{float(self.seconds(pts)):.3f}"


class MomentFrames:
    """Reads frames of episodes.

    Args:
        settings: Settings with the frame store and the length of chunks.
        decoder: Opens the episodes.
    """

    def __init__(self, settings: Settings, decoder: Decoder) -> None:
        self._settings = settings
        self._decoder = decoder

    def open(self, path: Path) -> OpenedEpisode:
        """Probe an episode file.

        Raises:
            IngestError: It cannot be used.
        """
        probe = retry_on_kill(lambda: self._decoder.probe(path))
        area = find_picture_area(self._decoder, probe)
        return OpenedEpisode(probe, area, chunks_of(probe, self._settings.chunk_seconds))

    def at_random(
        self, episode: OpenedEpisode, seed: int, on_progress: Progress
    ) -> Iterator[tuple[ChunkRange, list[StoredFrame]]]:
        """Yield the frames at random times, chunk by chunk.

        Args:
            episode: An episode from `open`.
            seed: Seed of the random times.
            on_progress: Called after each chunk.

        Yields:
            A chunk and its frames.

        Raises:
            IngestError: The frames cannot be read.
        """
        probe = episode.probe
        moments_pts = [
            probe.start_pts + int(moment / probe.time_base)
            for moment in random_moments(probe.duration_seconds, probe.sha256, seed)
        ]
        for number, chunk in enumerate(episode.chunks, 1):
            inside = [pts for pts in moments_pts if chunk.start_pts <= pts < chunk.end_pts]
            if inside:
                yield chunk, self.shown_at(episode, chunk, inside)
            on_progress(probe.name, number, len(episode.chunks))

    def shown_at(
        self, episode: OpenedEpisode, chunk: ChunkRange, moments_pts: Sequence[int]
    ) -> list[StoredFrame]:
        """Return the frames of a chunk that are on display at these times.

        Raises:
            IngestError: They cannot be read.
        """
        path, stored_pts = self._stored(episode, chunk)
        wanted = set(on_display(moments_pts, stored_pts).values())
        return [frame for frame in read_frames(path) if frame.pts in wanted]

    def _stored(self, episode: OpenedEpisode, chunk: ChunkRange) -> tuple[Path, Sequence[int]]:
        probe, area, every_seconds = episode.probe, episode.area, DEFAULT_EVERY_SECONDS
        store = open_frame_store(self._settings)
        path = store.path_for(probe.sha256, every_seconds, chunk.start_pts, chunk.end_pts, area)
        try:
            store.fetch(path)
            return path, read_manifest(path).pts
        except FrameStoreError:  # not stored yet, or damaged
            request = Extraction.of(probe, probe.path, chunk, every_seconds, area, path)
            retry_on_kill(lambda: self._decoder.extract(request))
            store.publish(path)
            return path, read_manifest(path).pts
