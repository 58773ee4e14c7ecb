"""Collect stills from episodes, as the original training set was made, or around places.

At random times the frame on display is taken, and a model sorts parts of it where it is confident,
for a person to confirm: the full picture and its halves, or the places that a dense network sees.
"""

import re
from collections import Counter
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from enum import StrEnum
from functools import partial
from pathlib import Path

from castline.errors import RequestError
from castline.stills.moments import MomentFrames, OpenedEpisode
from castline.stills.still_cuts import Pictures, Still, cut_places, cut_regions
from ingest.decoder.parent import Decoder
from ingest.storage.frame_store import StoredFrame
from model.inference.classifier import Classifier
from model.inference.device import Device
from model.labels import label_of
from model.progress import Progress
from model.stills.annotations.coco_writing import COCO_NAME
from model.stills.writing import add_still, comments_in
from model.version.artifact import ModelVersion
from timeline.appearances.rules import Rules
from worker.settings import Settings

_TAKEN = re.compile(r"\(SHA-256 ([0-9a-f]{64})\) at (\d+\.\d{3}) s, ([\w -]+);")
"""The comment that identifies a still of an episode, whatever the names of file and model."""


class Way(StrEnum):
    """How frames are cut into stills."""

    REGIONS = "regions"
    """The full picture and its halves."""
    PLACES = "places"
    """Crops around the places of a dense network."""


Cutting = Callable[[Classifier, Pictures], list[list[Still]]]
"""Cuts frames into stills."""


def check_tells_places(version: ModelVersion) -> None:
    """Refuse a model that gives no places.

    Raises:
        RequestError: The model classifies only regions.
    """
    if not version.manifest.is_dense:
        raise RequestError(
            f"{version.manifest.reference}: gives no places, only regions of frames; choose a model"
            " of recipe strong with --model, or train one"
        )


def taken_from(folder: Path) -> set[tuple[str, ...]]:
    """Return SHA-256 of the episode, time and part of each harvested picture under a folder.

    They are found however they were moved and renamed.
    """
    found = (_TAKEN.search(comment) for _, comment in comments_in(folder))
    return {matched.groups() for matched in found if matched}


def folders_by_label(folder: Path) -> dict[str, Path]:
    """Return the folders of labels in a folder, whatever the spelling of their names."""
    if not folder.is_dir():
        return {}
    inner = (path for path in folder.iterdir() if path.is_dir() and path.name[0] not in "._")
    return {label_of(path.name): path for path in sorted(inner)}


def origin(episode: OpenedEpisode, pts: int, part: str, said: str, version: ModelVersion) -> str:
    """Return the comment of a picture from which `taken_from` recognises it."""
    probe = episode.probe
    return (
        f"castline harvest: {probe.name} (SHA-256 {probe.sha256}) at {episode.moment(pts)} s,"
        f" {part}; {said} by {version.manifest.reference}"
    )


@contextmanager
def open_harvester(
    settings: Settings,
    output: Path,
    version: ModelVersion,
    device: Device,
    way: Way,
    rules: Rules,
) -> Iterator["Harvester"]:
    """Open a decoder and load a model.

    Args:
        settings: Settings with the folders of models, frames and media.
        output: The folder to add stills to.
        version: The model version that sorts them.
        device: `auto`, `cpu` or `gpu`.
        way: The parts of a frame that become stills.
        rules: The thresholds in use.

    Yields:
        The harvester.

    Raises:
        ModelError: The model cannot be loaded, or there is no such device.
        RequestError: The output is not a folder of stills, or the model does not support the way.
    """
    if way is Way.PLACES:
        check_tells_places(version)
    if output.exists() and not output.is_dir():
        raise RequestError(f"{output}: is not a folder; name another with -o")
    if (output / COCO_NAME).exists():  # a dataset would be built only from the boxes
        raise RequestError(f"{output}: holds whole frames with boxes; name another folder with -o")
    with Decoder(media_roots=settings.readable_roots) as decoder:
        classifier = Classifier.load(version, device=device)
        cut: Cutting = cut_regions if way is Way.REGIONS else partial(cut_places, rules=rules)
        yield Harvester(MomentFrames(settings, decoder), output, classifier, cut)


class Harvester:
    """Collects stills from one episode after the other; made by `open_harvester`."""

    def __init__(
        self, frames: MomentFrames, output: Path, classifier: Classifier, cut: Cutting
    ) -> None:
        self._frames = frames
        self._output = output
        self._classifier = classifier
        self._cut = cut
        # a restarted harvest adds no still twice
        self._taken = taken_from(output)
        self._folders = folders_by_label(output)

    def harvest(self, path: Path, seed: int, on_progress: Progress) -> dict[str, int]:
        """Add an episode's new stills to the output folder.

        Args:
            path: The episode.
            seed: Seed of the random times.
            on_progress: Called after each chunk.

        Returns:
            The number of stills added to each folder, the largest first.

        Raises:
            IngestError: The episode cannot be used.
            RequestError: A still cannot be written.
        """
        episode = self._frames.open(path)
        counts: Counter[str] = Counter()
        for _, frames in self._frames.at_random(episode, seed, on_progress):
            counts += self._write(episode, frames)
        return dict(counts.most_common())

    def _write(self, episode: OpenedEpisode, frames: list[StoredFrame]) -> Counter[str]:
        """Write the stills of these frames into their folders."""
        rows = self._cut(self._classifier, [frame.picture for frame in frames])
        counts: Counter[str] = Counter()
        for frame, stills in zip(frames, rows, strict=True):
            for still in stills:
                key = (episode.probe.sha256, episode.moment(frame.pts), still.part)
                if key not in self._taken:
                    version = self._classifier.version
                    comment = origin(episode, frame.pts, still.part, still.said, version)
                    self._add(still, comment)
                    self._taken.add(key)
                    counts[still.folder] += 1
        return counts

    def _add(self, still: Still, comment: str) -> None:
        folder = self._folders.get(still.folder, self._output / still.folder)
        try:
            add_still(folder, still.picture, comment)
        except OSError as error:
            raise RequestError(
                f"{folder}: cannot be written ({error.strerror});"
                " make room or name another folder with -o"
            ) from error
