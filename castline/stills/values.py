"""Parameters and results of building datasets, collecting stills and composing episodes."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from castline.tables import Row, Table, plain
from model.labels import Names

Corners = tuple[float, float, float, float]
"""Left, top, right and bottom, as shares of the picture."""


@dataclass(frozen=True)
class Dataset(Row):
    """A dataset of labelled stills."""

    folder: Path
    """The folder of the dataset."""
    labels: tuple[str, ...]
    """Labels in the order of their numbers."""
    names: Names
    """Display names of labels."""
    counts: Mapping[str, tuple[int, ...]]
    """Number of stills by main label, for each of train, validation and test."""
    boxes: Mapping[str, tuple[int, ...]] | None
    """Number of boxes in the same form; None if there are none."""
    others: Mapping[str, int]
    """Number of stills of each label that was not selected."""
    others_are_kept: bool
    """Whether stills of other labels are kept as `unknown`."""
    split: str
    """How it was split: `grouped` or `random`."""
    seed: int
    """Seed of the split and the order."""
    fingerprint_sha256: str
    """Fingerprint of the stills' labels and contents."""
    test_with_train_twin: int
    """Number of test stills with a near-duplicate in train."""
    groups: int
    """Number of groups of near-duplicates, single stills included."""
    created_at: str
    """Time of creation, in ISO 8601."""
    contact_sheet: Path
    """A page with samples of each label."""
    table: Path
    """A CSV file of all stills."""
    near_duplicates_page: Path
    """A page with the largest groups of near-duplicates."""


@dataclass(frozen=True)
class Built:
    """A new dataset, and the parts of its sources that were left out."""

    dataset: Dataset
    """The dataset."""
    left_out: Mapping[str, int]
    """Number of stills left out, by reason."""
    wrong_boxes: Mapping[str, int]
    """Number of boxes left out, by reason."""
    report: Path
    """A file that lists all of them."""


@dataclass(frozen=True)
class Twin(Row):
    """A still in a group of near-duplicates."""

    set: str
    """Its set: train, validation or test."""
    label: str
    """Its label."""
    source: str
    """The original file of the still."""


@dataclass(frozen=True)
class ShownDataset(Row):
    """The description of a dataset."""

    dataset: Dataset
    """The dataset."""
    stills_by_boxes: Mapping[str, int]
    """Number of stills with none, one, two, three_or_more boxes, and with a box for every
    character."""
    near_duplicates: tuple[tuple[Twin, ...], ...]
    """Groups of near-duplicates, the largest first."""

    def to_dict(self) -> dict[str, Any]:
        """Return the output of `dataset show --json`, described in docs/reference/json.md."""
        shown = plain(self.dataset)
        kept = ("others", "others_are_kept", "split", "seed", "fingerprint_sha256")
        return {
            "dataset": str(self.dataset.folder),
            "labels": list(self.dataset.labels),
            "names": self.dataset.names.shown(self.dataset.labels),
            "counts": shown["counts"],
            "boxes": shown["boxes"],
            "stills_by_boxes": dict(self.stills_by_boxes),
            **{name: shown[name] for name in kept},
            "test_with_train_twin": self.dataset.test_with_train_twin,
            "groups": self.dataset.groups,
            "near_duplicates": plain(self.near_duplicates),
            "contact_sheet": str(self.dataset.contact_sheet),
            "created_at": self.dataset.created_at,
        }


@dataclass(frozen=True)
class DoubtfulBox(Row):
    """A box far from where a model sees its label."""

    set: str
    """Its set: train, validation or test."""
    picture: str
    """The file of the picture."""
    label: str
    """Its label."""
    box: Corners
    """The box of the dataset."""
    seen: Corners
    """The box where the model sees the label."""
    confidence: float
    """Confidence of the model."""


@dataclass(frozen=True, repr=False)
class DoubtfulBoxes(Table[DoubtfulBox]):
    """Boxes far from where a model sees their labels, the most confident first."""

    names: Names = field(default_factory=Names)
    """Display names of the dataset's labels."""


@dataclass(frozen=True)
class Choice:
    """Selection of a dataset's stills, and the split into sets."""

    labels: Sequence[str] | None = None
    """Only these labels; None for all."""
    top: int | None = None
    """Only this number of labels, those with the most stills."""
    min_images: int = 1
    """Only labels with at least this number of stills."""
    others: str = "keep"
    """Stills of all other labels: `keep` as `unknown`, or `drop`."""
    without: Sequence[str] = ()
    """Leave out all stills with these labels."""
    split: str = "grouped"
    """`grouped` keeps near-duplicates in one set, `random` does not."""
    shards: int = 15
    """Number of shard files per set."""
    seed: int = 0
    """Seed of the split and the order."""


@dataclass(frozen=True)
class Harvested:
    """The stills collected from one episode."""

    episode: Path
    """The episode file."""
    counts: Mapping[str, int]
    """Number of stills added to each folder, the largest first."""


@dataclass(frozen=True)
class Proposed:
    """Frames with boxes from a model, to be corrected."""

    folder: Path
    """The folder of the frames."""
    frames: int
    """Number of new frames; 0 if the folder already has them all."""
    boxes: Path
    """The file of boxes."""


@dataclass(frozen=True)
class StillsOfCorrections:
    """Stills written from corrections."""

    folder: Path
    counts: Mapping[str, int]
    """Number of new stills in each label's folder, the largest first."""
    left_out: Mapping[str, int]
    """Number of corrections without a still, by reason."""
    sources: Path
    """A CSV file with the episode, time and correction of each still."""
    stale: int
    """Stills in the folder whose correction was undone, or is not here."""


@dataclass(frozen=True)
class Composing:
    """The content and look of a composed episode."""

    dataset: Path
    """Folder of the dataset."""
    part: str = "test"
    """The set of stills to show: train, validation or test."""
    seconds: int = 240
    """Duration in seconds."""
    negatives: Sequence[Path] = ()
    """Videos without known characters."""
    size: str = "640x360"
    """Size of the frames in pixels."""
    aspect: str | None = None
    """Aspect ratio of the picture between black bars, such as `4:3`; None for the frame's."""
    seed: int = 0
    """Seed of shots, pictures and truth."""
    groups: float | None = None
    """Share of shots with three or more characters; None for 0.25 if stills have boxes, else 0."""


@dataclass(frozen=True)
class Composed:
    """A composed episode."""

    episode: Path
    """The .mp4 file."""
    truth: Path
    """The truth file."""
    on_screen: tuple[int, ...]
    """Number of known characters on screen in each shot."""
