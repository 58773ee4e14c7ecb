"""Datasets, and what is collected and composed, as they are asked for and shown."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from castline.tables import Row, Table, plain
from model.labels import Names

Corners = tuple[float, float, float, float]
"""Left, top, right, bottom, as shares of the picture."""


@dataclass(frozen=True)
class Dataset(Row):
    """A dataset of labelled stills."""

    folder: Path
    labels: tuple[str, ...]
    """In the order of their numbers."""
    names: Names
    """What people call labels."""
    counts: Mapping[str, tuple[int, ...]]
    """Stills by their main label, for each of train, validation and test."""
    boxes: Mapping[str, tuple[int, ...]] | None
    """The same of boxes; None if there are none."""
    others: Mapping[str, int]
    """Stills that show each label that was not chosen."""
    others_are_kept: bool
    split: str
    seed: int
    fingerprint_sha256: str
    test_with_train_twin: int
    """Test stills that have a near-identical one in train."""
    groups: int
    created_at: str
    contact_sheet: Path
    """A page with samples of each label."""
    table: Path
    """A CSV file of all stills."""
    near_duplicates_page: Path


@dataclass(frozen=True)
class Built:
    """A dataset that was made, and what of its sources is not in it."""

    dataset: Dataset
    left_out: Mapping[str, int]
    """Stills, by reason."""
    wrong_boxes: Mapping[str, int]
    """Boxes, by reason."""
    report: Path
    """A file that names all of them."""


@dataclass(frozen=True)
class Twin(Row):
    """A still that is nearly the same as others."""

    set: str
    label: str
    source: str


@dataclass(frozen=True)
class ShownDataset(Row):
    """All that is to be said of a dataset."""

    dataset: Dataset
    stills_by_boxes: Mapping[str, int]
    """How many have none, one, two, three_or_more, and in how many everybody has one."""
    near_duplicates: tuple[tuple[Twin, ...], ...]
    """The largest group first."""

    def to_dict(self) -> dict[str, Any]:
        """Returns what docs/json.md says of `castline dataset show`."""
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
    picture: str
    """The file."""
    label: str
    box: Corners
    seen: Corners
    confidence: float


@dataclass(frozen=True, repr=False)
class DoubtfulBoxes(Table[DoubtfulBox]):
    """Boxes far from where a model sees their labels, the surest first."""

    names: Names = field(default_factory=Names)
    """What people call the dataset's labels."""


@dataclass(frozen=True)
class Choice:
    """Which stills a dataset is built of, and how it is split."""

    labels: Sequence[str] | None = None
    """Only these; None for all."""
    top: int | None = None
    """Only so many labels, those with most stills."""
    min_images: int = 1
    """Only labels with at least so many stills."""
    others: str = "keep"
    """Stills of all other labels: `keep` as `unknown`, or `drop`."""
    without: Sequence[str] = ()
    """Leaves out all stills that show these."""
    split: str = "grouped"
    """`grouped` keeps near-duplicates together, `random` does not."""
    shards: int = 15
    """Files per set."""
    seed: int = 0
    """Of the split and the order."""


@dataclass(frozen=True)
class Harvested:
    """The stills that one episode gave."""

    episode: Path
    counts: Mapping[str, int]
    """How many went into each folder now, the fullest first."""


@dataclass(frozen=True)
class Proposed:
    """Frames with boxes that a model sees in them, to mend."""

    folder: Path
    frames: int
    """How many are new; 0 if the folder has them all already."""
    boxes: Path
    """The file of boxes."""


@dataclass(frozen=True)
class StillsOfCorrections:
    """Stills of what people said of answers."""

    folder: Path
    counts: Mapping[str, int]
    """How many new stills went into each label's folder, the fullest first."""
    left_out: Mapping[str, int]
    """By reason, of what no still was made."""
    sources: Path
    """A CSV file: of which moment of which episode each still is, and of which correction."""
    stale: int
    """Stills in the folder whose correction was undone, or is not here."""


@dataclass(frozen=True)
class Composing:
    """What an episode is composed of, and how it looks."""

    dataset: Path
    part: str = "test"
    """Whose stills are shown: train, validation or test."""
    seconds: int = 240
    negatives: Sequence[Path] = ()
    """Videos in which nobody known is."""
    size: str = "640x360"
    """Of the frames, in pixels."""
    aspect: str | None = None
    """Of the picture between black bars, as `4:3`; None for the frame's."""
    seed: int = 0
    """Of shots, pictures and truth."""
    groups: float | None = None
    """Share of shots with three or more; None for 0.25 if stills have boxes, else 0."""


@dataclass(frozen=True)
class Composed:
    """An episode that was composed."""

    episode: Path
    truth: Path
    on_screen: tuple[int, ...]
    """How many known are on screen, shot by shot."""
