"""Stills from episodes, the way the original training set was made.

At random moments the frame on display is taken; its full picture and its halves are sorted by a
model where it is confident, for a person to confirm. Frames come from the frame store, as they do
when an episode is tagged: a network then learns from the very kind of picture that it will see.
"""

import re
from collections import Counter
from collections.abc import Iterator
from contextlib import contextmanager
from fractions import Fraction
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from ingest.chunks import ChunkRange
from ingest.decoder import Decoder
from ingest.errors import FrameStoreError
from ingest.extraction import Extraction
from ingest.frame_store import StoredFrame, read_frames, read_manifest
from ingest.probe import PictureArea, Probe
from ingest.sampling import on_display
from model.artifact import ModelVersion
from model.classifier import Classifier
from model.progress import Progress
from model.regions import cut
from model.still_writing import add_still, comments_in
from worker.enqueue import chunks_of, find_picture_area, outliving_kills
from worker.errors import WorkerError
from worker.parameters import DEFAULT_EVERY_SECONDS
from worker.settings import Settings
from worker.workplace import open_frame_store

CONFIDENT = 0.6
"""A still goes to a label's folder if its confidence exceeds this: the original set's figure."""

UNSURE = "_unsure"
"""Where the others go; `dataset build` passes folders over whose names begin so."""

SHORTEST_SECONDS, LONGEST_SECONDS = 4, 10
"""Between two moments: 100 to 250 frames of 25 a second, as when the original set was made."""

_TAKEN = re.compile(r"\(SHA-256 ([0-9a-f]{64})\) at (\d+\.\d{3}) s, (\w+);")
"""Which still of which episode a comment tells of, whatever the file and the model are called."""


def random_moments(duration_seconds: Fraction, sha256: str, seed: int) -> list[Fraction]:
    """Draws the moments at which to look, in seconds from the episode's first frame.

    Args:
        duration_seconds: Of the episode.
        sha256: Of the episode: another one has other moments.
        seed: Another one gives other moments.
    """
    rng = np.random.default_rng([seed, int(sha256[:16], 16)])
    # in the frame store's own steps, so that its frames serve
    shortest, longest = (
        int(seconds / DEFAULT_EVERY_SECONDS) for seconds in (SHORTEST_SECONDS, LONGEST_SECONDS)
    )
    step = int(rng.integers(longest))
    moments = []
    while step * DEFAULT_EVERY_SECONDS < duration_seconds:
        moments.append(step * DEFAULT_EVERY_SECONDS)
        step += int(rng.integers(shortest, longest + 1))
    return moments


@contextmanager
def open_harvester(
    settings: Settings, output: Path, version: ModelVersion, device: str
) -> Iterator["Harvester"]:
    """Opens a decoder and loads a model.

    Args:
        settings: Where models and frames lie, and which media may be opened.
        output: The folder to add stills to.
        version: The model version that sorts them.
        device: `auto`, `cpu` or `gpu`.

    Raises:
        ModelError: The model cannot be loaded, or there is no such device.
        WorkerError: The output is no folder.
    """
    if output.exists() and not output.is_dir():
        raise WorkerError(f"{output}: is not a folder; name another with -o")
    with Decoder(media_roots=settings.readable_roots) as decoder:
        yield Harvester(settings, output, Classifier.load(version, device=device), decoder)


class Harvester:
    """Takes stills out of one episode after the other; made by `open_harvester`."""

    def __init__(
        self, settings: Settings, output: Path, classifier: Classifier, decoder: Decoder
    ) -> None:
        self._settings = settings
        self._output = output
        self._classifier = classifier
        self._decoder = decoder
        # one that was killed and starts over gives no still twice
        self._taken = {
            matched.groups()
            for comment in comments_in(output)
            if (matched := _TAKEN.search(comment))
        }

    def harvest(self, path: Path, seed: int, on_progress: Progress) -> dict[str, int]:
        """Adds an episode's stills to the output folder, except those that are there.

        Args:
            path: The episode.
            seed: Of the moments.
            on_progress: Called after each chunk.

        Returns:
            How many stills went into each folder now, the fullest first.

        Raises:
            IngestError: The episode cannot be used.
            WorkerError: A still cannot be written.
        """
        probe = outliving_kills(lambda: self._decoder.probe(path))
        area = find_picture_area(self._decoder, probe)
        chunks = chunks_of(probe, self._settings.chunk_seconds)
        moments_pts = [
            probe.start_pts + int(moment / probe.time_base)
            for moment in random_moments(probe.duration_seconds, probe.sha256, seed)
        ]
        counts: Counter[str] = Counter()
        for number, chunk in enumerate(chunks, 1):
            inside = [pts for pts in moments_pts if chunk.start_pts <= pts < chunk.end_pts]
            if inside:
                counts += self._write(probe, self._frames(probe, area, chunk, inside))
            on_progress(probe.name, number, len(chunks))
        return dict(counts.most_common())

    def _frames(
        self, probe: Probe, area: PictureArea, chunk: ChunkRange, moments_pts: list[int]
    ) -> list[StoredFrame]:
        """Gives the frames on display at these moments, from the frame store."""
        every_seconds = DEFAULT_EVERY_SECONDS
        store = open_frame_store(self._settings)
        path = store.path_for(probe.sha256, every_seconds, chunk.start_pts, chunk.end_pts, area)
        try:
            store.fetch(path)
            stored = read_manifest(path)
        except FrameStoreError:  # not there yet, or damaged
            request = Extraction.of(probe, chunk, every_seconds, area, path)
            outliving_kills(lambda: self._decoder.extract(request))
            store.publish(path)
            stored = read_manifest(path)
        wanted = set(on_display(moments_pts, stored.pts).values())
        return [frame for frame in read_frames(path) if frame.pts in wanted]

    def _write(self, probe: Probe, frames: list[StoredFrame]) -> Counter[str]:
        """Writes each region of these frames into the folder where it belongs."""
        manifest = self._classifier.version.manifest
        confidences = self._classifier.confidences([frame.picture for frame in frames])
        counts: Counter[str] = Counter()
        for frame, by_region in zip(frames, confidences, strict=True):
            seconds = f"{float((frame.pts - probe.start_pts) * probe.time_base):.3f}"
            for region, by_label in zip(manifest.regions, by_region, strict=True):
                if (probe.sha256, seconds, region) in self._taken:
                    continue
                label, confidence = manifest.labels[by_label.argmax()], float(by_label.max())
                folder = label if confidence > CONFIDENT else UNSURE
                origin = (
                    f"castline harvest: {probe.name} (SHA-256 {probe.sha256}) at {seconds} s,"
                    f" {region}; {label} {confidence:.2f} by {manifest.reference}"
                )
                self._add(folder, cut(frame.picture, region), origin)
                self._taken.add((probe.sha256, seconds, region))
                counts[folder] += 1
        return counts

    def _add(self, folder: str, picture: NDArray[np.uint8], origin: str) -> None:
        try:
            add_still(self._output / folder, picture, origin)
        except OSError as error:
            raise WorkerError(
                f"{self._output / folder}: cannot be written ({error.strerror});"
                " make room or name another folder with -o"
            ) from error
