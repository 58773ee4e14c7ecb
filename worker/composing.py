"""Episodes composed of labelled stills and clips, whose truth is known to the frame.

First the shots are planned, then it is settled what each shows, then the stills that are needed
are unpacked into a folder. From then on one frame after the other is drawn and written, so that
memory grows neither with the episode's pictures nor with the dataset's.
"""

from collections import Counter
from collections.abc import Collection, Iterator, Sequence
from dataclasses import dataclass
from functools import cached_property
from itertools import islice, zip_longest
from math import ceil
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import NamedTuple

import numpy as np

from ingest.chunks import ChunkRange
from ingest.decoder import Decoder
from ingest.extraction import Extraction
from ingest.frame_store import read_frames
from ingest.probe import PictureArea, Probe
from ingest.write_video import write_video
from model.dataset import Dataset
from model.dataset_reading import stream_stills
from model.dataset_table import read_table
from model.labels import UNKNOWN
from model.pictures import read_picture, to_png
from model.progress import Progress
from model.shot_pictures import (
    SUBTITLED,
    SUBTITLES,
    Layout,
    Picture,
    draw_subtitle,
    fill_picture,
    mix,
    show_stills,
    with_overlay,
)
from model.split import PARTS
from timeline.files import whole_file
from timeline.shots import FRAME_RATE, Shot, plan_shots, true_ranges, turns
from timeline.truth import write_truth
from worker.enqueue import find_picture_area, outliving_kills
from worker.errors import WorkerError

MEASURING_PART = "test"
"""The stills that no model learns from, nor has its thresholds chosen on."""


@dataclass(frozen=True)
class Negative:
    """A clip in which nobody known is on screen."""

    probe: Probe
    area: PictureArea
    """What is shown of it: its black bars are cut off."""


@dataclass(frozen=True)
class Composition:
    """What an episode is made of, and how.

    Raises:
        WorkerError: There is no such set, or nobody known in it.
    """

    dataset: Dataset
    part: str
    """Train, validation or test: whose stills are shown."""
    negatives: tuple[Negative, ...]
    """Shown where nobody known is on screen, in turn with stills of `unknown`."""
    layout: Layout
    seconds: int
    """How long it lasts, rounded up to a whole frame."""
    seed: int
    """The same seed gives the same pictures and the same truth."""

    def __post_init__(self) -> None:
        if self.part not in PARTS:
            raise WorkerError(f"set {self.part!r}: is none of {', '.join(PARTS)}")
        if not set(self.stills) - {UNKNOWN}:
            raise WorkerError(
                f"{self.dataset.folder}: {self.part} shows nobody known alone; "
                "build it of more stills"
            )

    @cached_property
    def stills(self) -> dict[str, int]:
        """How many stills there are of each label, `unknown` included.

        Those that show several are not used: a shot's truth names one label per still.
        """
        manifest = self.dataset.manifest
        if manifest.boxes is None:
            counts = dict(zip(manifest.labels, manifest.counts[self.part], strict=True))
        else:
            lines = [line for line in read_table(self.dataset) if line.part == self.part]
            alone = Counter(line.label for line in lines if len(line.labels) == 1)
            counts = {label: alone[label] for label in manifest.labels}
        return {label: count for label, count in counts.items() if count}

    def plan(self) -> list[Shot]:
        """The shots, from the first frame to the last."""
        stills = self.stills
        return plan_shots(
            [label for label in stills if label != UNKNOWN],
            ceil(self.seconds * FRAME_RATE),
            self.seed,
            with_nobody=bool(self.negatives or stills.get(UNKNOWN)),
        )


def open_negative(decoder: Decoder, path: Path) -> Negative:
    """Looks at a clip in which nobody known is on screen.

    Raises:
        IngestError: It cannot be used as video.
    """
    probe = outliving_kills(lambda: decoder.probe(path))
    return Negative(probe, find_picture_area(decoder, probe))


def compose_episode(
    composition: Composition, decoder: Decoder, output: Path, truth: Path, on_progress: Progress
) -> list[Shot]:
    """Writes an episode and its truth: both, or none.

    Args:
        composition: What it is made of.
        decoder: Opens the clips.
        output: The MP4 to write; an older one is replaced.
        truth: The CSV to write; an older one is replaced.
        on_progress: Called before each frame.

    Returns:
        Its shots.

    Raises:
        DatasetError: The dataset is damaged.
        IngestError: A clip cannot be read.
        TimelineError: One of the files cannot be written.
        WorkerError: Nothing of a clip can be decoded.
    """
    shots = composition.plan()
    scenes = _scenes(shots, composition)
    with (
        TemporaryDirectory(prefix="castline-compose-") as folder,
        whole_file(output) as whole_output,
    ):
        studio = _Studio(composition, decoder, Path(folder))
        studio.unpack({still for scene in scenes if isinstance(scene, tuple) for still in scene})
        pictures = _joined(shots, scenes, studio)
        write_video(whole_output, _counted(pictures, shots[-1].end_frame, on_progress), FRAME_RATE)
        # whole in itself, and there before the episode is: none is ever without its truth
        write_truth(truth, true_ranges(shots, FRAME_RATE))
    return shots


class _Still(NamedTuple):
    label: str
    place: int
    """Among the stills of its label, in the order in which they were written."""


_Scene = tuple[_Still, ...] | Negative
"""What a shot shows."""


def _scenes(shots: Sequence[Shot], composition: Composition) -> list[_Scene]:
    """Settles what each shot shows: every still and every clip gets its turn."""
    # no shot's own generator has this second number
    rng = np.random.default_rng([composition.seed, len(shots)])
    stills = {
        label: turns([_Still(label, place) for place in range(count)], rng)
        for label, count in composition.stills.items()
    }
    # None: a still of `unknown`
    strangers = [*composition.negatives, *([None] if UNKNOWN in stills else [])]
    nobody = turns(strangers, rng)
    scenes: list[_Scene] = []
    for shot in shots:
        clip = None if shot.labels else next(nobody)
        labels = shot.labels or (UNKNOWN,)
        scenes.append(clip or tuple(next(stills[label]) for label in labels))
    return scenes


def _joined(
    shots: Sequence[Shot], scenes: Sequence[_Scene], studio: "_Studio"
) -> Iterator[Picture]:
    """Yields the episode's frames: of two shots at once in a dissolve, else of one."""
    before: Iterator[Picture] = iter(())
    for shot, scene, after in zip_longest(shots, scenes, shots[1:]):
        past = after.first_alone if after else shot.end_frame
        pictures = studio.show(shot, scene, past - shot.first_shown)
        for number in range(shot.dissolve_frames):
            share = (number + 0.5) / shot.dissolve_frames
            yield mix(next(before), next(pictures), share)
        alone = (after.first_shown if after else shot.end_frame) - shot.first_alone
        yield from islice(pictures, alone)
        before = pictures


def _counted(pictures: Iterator[Picture], frames: int, on_progress: Progress) -> Iterator[Picture]:
    for number, picture in enumerate(pictures):
        on_progress("Composing", number, frames)
        yield picture


class _Studio:
    """Draws the pictures of shots; keeps stills, and a clip's frames, in a folder meanwhile."""

    def __init__(self, composition: Composition, decoder: Decoder, folder: Path) -> None:
        self._composition = composition
        self._decoder = decoder
        self._folder = folder

    def unpack(self, wanted: Collection[_Still]) -> None:
        """Takes these stills out of the dataset."""
        dataset, part = self._composition.dataset, self._composition.part
        seen: Counter[str] = Counter()
        for picture, shown in stream_stills(dataset, part, lambda picture: picture):
            if len(shown.label_set) > 1:
                continue
            label = dataset.manifest.labels[shown.label_number]
            still = _Still(label, seen[label])
            seen[label] += 1
            if still in wanted:
                self._path_of(still).write_bytes(to_png(picture))

    def show(self, shot: Shot, scene: _Scene, frames: int) -> Iterator[Picture]:
        """Yields so many frames of a shot, with its subtitle and the black bars around it."""
        layout = self._composition.layout
        rng = np.random.default_rng([self._composition.seed, shot.number])
        subtitle = draw_subtitle(*layout.picture_size, str(rng.choice(SUBTITLES)))
        is_subtitled = rng.random() < SUBTITLED
        if isinstance(scene, Negative):
            pictures = self._clip(scene, frames, rng)
        else:
            pictures = self._stills(scene, frames, rng)
        for picture in pictures:
            yield layout.framed(with_overlay(picture, subtitle) if is_subtitled else picture)

    def _stills(
        self, scene: tuple[_Still, ...], frames: int, rng: np.random.Generator
    ) -> Iterator[Picture]:
        stills = [read_picture(self._path_of(still).read_bytes()) for still in scene]
        return show_stills(stills, self._composition.layout, frames, rng)

    def _path_of(self, still: _Still) -> Path:
        number = self._composition.dataset.manifest.labels.index(still.label)
        return self._folder / f"{number}_{still.place}.png"

    def _clip(self, negative: Negative, frames: int, rng: np.random.Generator) -> Iterator[Picture]:
        """Yields a clip's pictures from one of its key frames on; the last one stays at its end."""
        probe, path = negative.probe, self._folder / "clip.zip"
        # in the clip's own units, and in its own time: it may have another rate
        frame_pts = 1 / FRAME_RATE / probe.time_base
        length_pts = ceil(frames * frame_pts)
        latest_pts = max(probe.start_pts, probe.end_pts - length_pts)
        starts = [pts for pts in probe.key_pts if pts <= latest_pts] or [probe.start_pts]
        start_pts = int(rng.choice(starts))
        chunk = ChunkRange(start_pts, min(start_pts + length_pts, probe.end_pts))
        request = Extraction.of(probe, chunk, 1 / FRAME_RATE, negative.area, path)
        outliving_kills(lambda: self._decoder.extract(request))
        stored = read_frames(path)
        ahead = next(stored, None)
        if ahead is None:
            raise WorkerError(f"{probe.path}: no picture can be decoded; leave it out")
        shown = ahead
        for number in range(frames):
            while ahead is not None and ahead.pts <= start_pts + number * frame_pts:
                shown, ahead = ahead, next(stored, None)
            yield fill_picture(shown.picture, self._composition.layout)
