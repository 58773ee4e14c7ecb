"""Compose episodes from labelled stills and clips, with a truth that is exact to the frame.

First the shots are planned, then the content of each is chosen, then the required stills are
unpacked to disk: all of them if groups are composed. From then on one frame after the other is
drawn and written, so that memory grows neither with the episode's length nor with the dataset.
"""

from collections import Counter
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from functools import cached_property
from itertools import islice, zip_longest
from math import ceil
from pathlib import Path
from tempfile import TemporaryDirectory

import numpy as np

from castline.composing.studio import Content, Negative, Still, Studio
from castline.errors import RequestError
from castline.tagging.enqueue import find_picture_area, retry_on_kill
from ingest.decoder.parent import Decoder
from ingest.frames.write_video import write_video
from model.dataset.folder import Dataset
from model.dataset.split import PARTS
from model.dataset.table import read_table
from model.labels import UNKNOWN
from model.progress import Progress
from model.rehearsal.shot_pictures import Layout, mix
from model.scenes.seen import Picture
from timeline.appearances.shots import (
    FRAME_RATE,
    SMALLEST_GROUP,
    Shot,
    plan_shots,
    true_ranges,
    turns,
)
from timeline.files import whole_file
from timeline.scoring.truth import write_truth

MEASURING_PART = "test"
"""The stills that are used neither for training nor for choosing thresholds."""


GROUPS_WITH_BOXES = 0.25
"""Default share of shots with three or more characters where stills have boxes. In ../shared's
clips of real footage it is a tenth of the time; an episode of four minutes would then have only
seven groups to measure on, and models miss more in groups than anywhere else."""


@dataclass(frozen=True)
class Composition:
    """The content and look of an episode.

    Raises:
        RequestError: There is no such set, or it has no known label, or too few for groups.
    """

    dataset: Dataset
    part: str
    """The set of stills to show: train, validation or test."""
    negatives: tuple[Negative, ...]
    """Clips for shots without known characters, in turn with stills of `unknown`."""
    layout: Layout
    seconds: int
    """Duration, rounded up to a whole frame."""
    seed: int
    """The same seed gives the same pictures and the same truth."""
    groups: float = 0.0
    """Share of the shots with three or more characters; above 0 adds strangers, hats and tints."""

    def __post_init__(self) -> None:
        if self.part not in PARTS:
            raise RequestError(f"set {self.part!r}: is none of {', '.join(PARTS)}")
        if not self.labels:
            raise RequestError(
                f"{self.dataset.folder}: {self.part} has no still with a single known "
                "label; build it from more stills"
            )
        if not 0 <= self.groups <= 1:
            raise RequestError(f"--groups {self.groups:g}: give a share from 0 to 1")
        if self.groups and len(self.labels) < SMALLEST_GROUP:
            raise RequestError(
                f"--groups {self.groups:g}: {self.dataset.folder}: {self.part} shows"
                f" {' and '.join(self.labels)} alone; a group takes {SMALLEST_GROUP}"
            )

    @cached_property
    def stills(self) -> dict[str, int]:
        """The number of stills of each label, including `unknown`.

        Stills with several labels are not counted: a shot of stills has one label for each.
        """
        manifest = self.dataset.manifest
        if manifest.boxes is None:
            counts = dict(zip(manifest.labels, manifest.counts[self.part], strict=True))
        else:
            lines = [line for line in read_table(self.dataset) if line.part == self.part]
            alone = Counter(line.label for line in lines if len(line.labels) == 1)
            counts = {label: alone[label] for label in manifest.labels}
        return {label: count for label, count in counts.items() if count}

    @property
    def labels(self) -> list[str]:
        """The labels of known characters."""
        return [label for label in self.stills if label != UNKNOWN]

    @property
    def usual_groups(self) -> float:
        """The default share of shots with three or more characters: 0 without boxes."""
        manifest = self.dataset.manifest
        counts = zip(manifest.labels, (manifest.boxes or {}).get(self.part, ()), strict=False)
        boxed = {label for label, count in counts if count}
        enough = len(boxed & {*self.labels}) >= SMALLEST_GROUP
        return GROUPS_WITH_BOXES if enough else 0.0

    def plan(self) -> list[Shot]:
        """Return the shots, from the first frame to the last."""
        return plan_shots(
            self.labels,
            ceil(self.seconds * FRAME_RATE),
            self.seed,
            with_nobody=bool(self.negatives or self.stills.get(UNKNOWN)),
            groups=self.groups,
        )


def open_negative(decoder: Decoder, path: Path) -> Negative:
    """Examine a clip without known characters.

    Raises:
        IngestError: It cannot be used as video.
    """
    probe = retry_on_kill(lambda: decoder.probe(path))
    return Negative(probe, find_picture_area(decoder, probe))


def compose_episode(
    composition: Composition, decoder: Decoder, output: Path, truth: Path, on_progress: Progress
) -> list[Shot]:
    """Write an episode and its truth: both, or none.

    Args:
        composition: The content of the episode.
        decoder: Opens the clips.
        output: The MP4 to write; an existing one is replaced.
        truth: The CSV to write; an existing one is replaced.
        on_progress: Called before each frame.

    Returns:
        The shots of the episode.

    Raises:
        DatasetError: The dataset is damaged.
        IngestError: A clip cannot be read.
        TimelineError: One of the files cannot be written.
        RequestError: No frame of a clip can be decoded, or no group fits into a picture.
    """
    shots = composition.plan()
    contents = _contents(shots, composition)
    with (
        TemporaryDirectory(prefix="castline-compose-") as folder,
        whole_file(output) as whole_output,
    ):
        studio = Studio(
            composition.dataset,
            composition.part,
            composition.layout,
            composition.seed,
            decoder,
            Path(folder),
        )
        if composition.groups:
            studio.unpack_all()
        else:
            shown = (content for content in contents if isinstance(content, tuple))
            studio.unpack({still for stills in shown for still in stills})
        pictures = _joined(shots, contents, studio)
        write_video(whole_output, _counted(pictures, shots[-1].end_frame, on_progress), FRAME_RATE)
        # written atomically, before the episode: no episode is ever without its truth
        write_truth(truth, true_ranges(studio.shown, FRAME_RATE))
    return studio.shown


def _contents(shots: Sequence[Shot], composition: Composition) -> list[Content]:
    """Choose the content of each shot: every still and every clip gets its turn."""
    # no shot's own generator has this second number
    rng = np.random.default_rng([composition.seed, len(shots)])
    stills = {
        label: turns([Still(label, place) for place in range(count)], rng)
        for label, count in composition.stills.items()
    }
    # None: a still of `unknown`
    strangers = [*composition.negatives, *([None] if UNKNOWN in stills else [])]
    nobody = turns(strangers, rng)
    contents: list[Content] = []
    for shot in shots:
        if len(shot.labels) >= SMALLEST_GROUP:
            contents.append(())
            continue
        clip = None if shot.labels else next(nobody)
        labels = shot.labels or (UNKNOWN,)
        contents.append(clip or tuple(next(stills[label]) for label in labels))
    return contents


def _joined(
    shots: Sequence[Shot], contents: Sequence[Content], studio: Studio
) -> Iterator[Picture]:
    """Yield the episode's frames, blending two shots in a dissolve."""
    before: Iterator[Picture] = iter(())
    for shot, content, after in zip_longest(shots, contents, shots[1:]):
        past = after.first_alone if after else shot.end_frame
        pictures = studio.show(shot, content, past - shot.first_shown)
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
