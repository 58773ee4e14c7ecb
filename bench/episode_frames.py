"""Read an episode's frames as tagging does: sampled, without bars, from a frame store."""

from collections.abc import Iterator
from dataclasses import dataclass
from fractions import Fraction
from pathlib import Path

from castline.tagging.enqueue import chunks_of, find_picture_area
from ingest.cuts import joined_cuts
from ingest.decoder.parent import Decoder
from ingest.frames.extract_request import Extraction
from ingest.media.probe import Probe
from ingest.storage.frame_store import FrameStore, StoredFrame, read_frames, read_manifest
from model.version.artifact import MANIFEST, ModelVersion, find_model, read_model_version
from worker.parameters import DEFAULT_EVERY_SECONDS
from worker.settings import Settings


@dataclass(frozen=True)
class StoredEpisode:
    """An episode whose frames are in a frame store."""

    probe: Probe
    stores: tuple[Path, ...]
    """The chunks' files, in order."""

    @property
    def cuts(self) -> tuple[int, ...]:
        """The first frames of its shots."""
        parts = [read_manifest(store).cuts for store in self.stores]
        return joined_cuts([part for part in parts if part is not None])

    def frames(self) -> Iterator[StoredFrame]:
        """Yield each sampled frame once, in display order."""
        last_pts = self.probe.start_pts - 1
        for store in self.stores:
            for frame in read_frames(store):
                if frame.pts > last_pts:  # one may be on display across two chunks
                    last_pts = frame.pts
                    yield frame


def store_frames(
    path: Path, decoder: Decoder, folder: Path, every_seconds: Fraction = DEFAULT_EVERY_SECONDS
) -> StoredEpisode:
    """Extract the frames that `castline tag --every` samples into a folder.

    Raises:
        IngestError: The episode cannot be used.
    """
    settings = Settings.from_environment(folder, {})
    probe = decoder.probe(path)
    area = find_picture_area(decoder, probe)
    store = FrameStore(settings.frames_folder)
    stores = []
    for chunk in chunks_of(probe, settings.chunk_seconds):
        place = store.path_for(probe.sha256, every_seconds, chunk.start_pts, chunk.end_pts, area)
        decoder.extract(Extraction.of(probe, probe.path, chunk, every_seconds, area, place))
        stores.append(place)
    return StoredEpisode(probe, tuple(stores))


def version_named(reference: str | None) -> ModelVersion:
    """Find a model version by its folder, NAME or NAME@VERSION; None for the bundled one.

    Raises:
        ModelError: The version does not exist.
    """
    if reference and (Path(reference) / MANIFEST).exists():
        return read_model_version(Path(reference))
    return find_model(reference, [Settings.from_environment().models_folder])
