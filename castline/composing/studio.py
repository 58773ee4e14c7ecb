"""Draw the pictures of a composed episode's shots: from stills, clips and composed scenes."""

from collections import Counter
from collections.abc import Collection, Iterator
from dataclasses import dataclass, replace
from math import ceil
from pathlib import Path
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from castline.errors import RequestError
from castline.tagging.enqueue import retry_on_kill
from exact.picture_area import PictureArea
from ingest.decoder.parent import Decoder
from ingest.frames.chunks import ChunkRange
from ingest.frames.extract_request import Extraction
from ingest.media.probe import Probe
from ingest.storage.frame_store import read_frames
from model.dataset.annotation import Annotation
from model.dataset.folder import Dataset
from model.dataset.reading import stream_stills
from model.dataset.stills import Stills
from model.rehearsal.shot_pictures import (
    SUBTITLED,
    SUBTITLES,
    Layout,
    draw_subtitle,
    fill_picture,
    seen_by,
    show_stills,
    with_overlay,
)
from model.rehearsal.shot_scenes import SIDE_FIGURES, TINTED, ShotScene, ShotScenes, draw_tint
from model.scenes.seen import Picture
from timeline.appearances.shots import FRAME_RATE, SMALLEST_GROUP, Shot

_OF_SCENES = 1
"""Third number of a generator's seed, after the episode's and the shot's, so that groups leave
everything else that is drawn unchanged."""


@dataclass(frozen=True)
class Negative:
    """A clip without known characters."""

    probe: Probe
    area: PictureArea
    """The part to show, without black bars."""


class Still(NamedTuple):
    """A still of a dataset."""

    label: str
    place: int
    """Index among the stills with only this label, in the order in which they were written."""


Content = tuple[Still, ...] | Negative
"""The content of a shot; an empty tuple for a group, which is composed when it is drawn."""


class Studio:
    """Draws the pictures of shots; keeps stills and the frames of a clip on disk meanwhile.

    Args:
        dataset: The dataset of the stills.
        part: The set of the stills.
        layout: Layout of the frames.
        seed: Seed of all random choices.
        decoder: Opens the clips.
        folder: Folder for the frames of a clip.
    """

    def __init__(
        self,
        dataset: Dataset,
        part: str,
        layout: Layout,
        seed: int,
        decoder: Decoder,
        folder: Path,
    ) -> None:
        self._dataset, self._part, self._layout, self._seed = dataset, part, layout, seed
        self._decoder, self._folder = decoder, folder
        self._stills: Stills | None = None
        self._numbers: dict[Still, int] = {}
        self._scenes: ShotScenes | None = None
        self.shown: list[Shot] = []
        """The shots drawn so far, with the labels in them."""

    def unpack(self, wanted: Collection[Still]) -> None:
        """Unpack these stills from the dataset."""
        self._stills = self._unpacked(wanted)

    def unpack_all(self) -> None:
        """Unpack all stills from the dataset, so that scenes can be composed from them."""
        self._stills = self._unpacked(None)
        self._scenes = ShotScenes(self._stills, self._layout)

    def show(self, shot: Shot, content: Content, frames: int) -> Iterator[Picture]:
        """Yield `frames` frames of a shot, with its subtitle and black bars.

        Raises:
            RequestError: No group fits into a picture, or no frame of a clip can be decoded.
        """
        layout = self._layout
        rng = np.random.default_rng([self._seed, shot.number])
        subtitle = draw_subtitle(*layout.picture_size, str(rng.choice(SUBTITLES)))
        is_subtitled = rng.random() < SUBTITLED
        scene_rng = np.random.default_rng([self._seed, shot.number, _OF_SCENES])
        is_tinted = self._scenes is not None and scene_rng.random() < TINTED
        tint = draw_tint(scene_rng)
        scene = self._scene(shot, scene_rng)
        self.shown.append(replace(shot, labels=scene.labels) if scene else shot)
        if scene:
            pictures = _moved_over(scene, frames)
        elif isinstance(content, Negative):
            pictures = self._clip(content, frames, rng)
        else:
            pictures = show_stills(list(map(self._picture, content)), layout, frames, rng)
        for picture in pictures:
            lit = tint(picture) if is_tinted else picture
            yield layout.framed(with_overlay(lit, subtitle) if is_subtitled else lit)

    def _scene(self, shot: Shot, rng: np.random.Generator) -> ShotScene | None:
        """Compose a scene of a group, or of few beside strangers; None for an ordinary shot."""
        if self._scenes is None:
            return None
        if len(shot.labels) < SMALLEST_GROUP:
            is_wanted = rng.random() < SIDE_FIGURES
            return self._scenes.beside_strangers(shot.labels, rng) if is_wanted else None
        scene = self._scenes.group(shot.labels, rng)
        if scene is None:
            raise RequestError(
                f"{self._dataset.folder}: no {SMALLEST_GROUP} of {', '.join(shot.labels)} find room"
                " in one picture; leave groups out: --groups 0"
            )
        return scene

    def _unpacked(self, wanted: Collection[Still] | None) -> Stills:
        return Stills.from_pictures(self._dataset.manifest.labels, self._kept(wanted))

    def _kept(
        self, wanted: Collection[Still] | None
    ) -> Iterator[tuple[NDArray[np.uint8], Annotation]]:
        """Yield the wanted stills, or all, and index those with a single label."""
        labels = self._dataset.manifest.labels
        seen: Counter[str] = Counter()
        kept = 0
        for picture, shown in stream_stills(self._dataset, self._part, lambda picture: picture):
            still = None
            if len(shown.label_set) == 1:
                label = labels[shown.label_number]
                still = Still(label, seen[label])
                seen[label] += 1
            if wanted is None or still in wanted:
                if still:
                    self._numbers[still] = kept
                kept += 1
                yield picture, shown

    def _picture(self, still: Still) -> Picture:
        assert self._stills is not None, "stills are unpacked before shots are shown"
        return self._stills.picture(self._numbers[still])

    def _clip(self, negative: Negative, frames: int, rng: np.random.Generator) -> Iterator[Picture]:
        """Yield a clip's pictures from one of its keyframes on; the last one is held at its end."""
        probe, path = negative.probe, self._folder / "clip.zip"
        # in the clip's own units and timing: its frame rate may differ
        frame_pts = 1 / FRAME_RATE / probe.time_base
        length_pts = ceil(frames * frame_pts)
        latest_pts = max(probe.start_pts, probe.end_pts - length_pts)
        starts = [pts for pts in probe.key_pts if pts <= latest_pts] or [probe.start_pts]
        start_pts = int(rng.choice(starts))
        chunk = ChunkRange(start_pts, min(start_pts + length_pts, probe.end_pts))
        request = Extraction.of(probe, probe.path, chunk, 1 / FRAME_RATE, negative.area, path)
        retry_on_kill(lambda: self._decoder.extract(request))
        stored = read_frames(path)
        ahead = next(stored, None)
        if ahead is None:
            raise RequestError(f"{probe.path}: no picture can be decoded; leave it out")
        shown = ahead
        for number in range(frames):
            while ahead is not None and ahead.pts <= start_pts + number * frame_pts:
                shown, ahead = ahead, next(stored, None)
            yield fill_picture(shown.picture, self._layout)


def _moved_over(scene: ShotScene, frames: int) -> Iterator[Picture]:
    for number in range(frames):
        yield seen_by(scene.picture, scene.camera, number / max(1, frames - 1))
