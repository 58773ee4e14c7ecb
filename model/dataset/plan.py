"""Plan a dataset: which stills it has, with which labels, in which part."""

from collections.abc import Sequence
from dataclasses import dataclass, field
from functools import cached_property
from typing import Final

import numpy as np
from numpy.typing import NDArray

from model.dataset.fingerprint import fingerprint
from model.dataset.split import PARTS, SPLITS, Split, split_at_random, split_by_groups
from model.errors import DatasetError
from model.pictures.boxes import WrongBox
from model.pictures.near_duplicates import group_near_duplicates, has_near_twin
from model.stills.boxes import Labelled, without_tiny_boxes
from model.stills.candidates import Candidate
from model.stills.choice import Choice, ChosenLabels, choose_labels, without_duplicates
from model.stills.files import LeftOut

MAX_SHARDS: Final = 1000
"""Most shards per part: all of them are open while a part is written."""


@dataclass(frozen=True)
class BuildOptions:
    """The options of building a dataset.

    Raises:
        DatasetError: A value is out of bounds; the message names it.
    """

    choice: Choice = field(default_factory=Choice)
    """The choice of labels."""
    split: str = "grouped"
    """One of SPLITS."""
    shards: int = 15
    """Files per part; the default is the task's number."""
    seed: int = 0
    """Seed of the split and of the order in the shards."""
    processes: int = 1
    """Number of processes that read stills."""

    def __post_init__(self) -> None:
        if self.split not in SPLITS:
            raise DatasetError(f"split is {self.split!r}; give {' or '.join(SPLITS)}")
        for name, lowest, highest in (
            ("shards", 1, MAX_SHARDS),
            ("seed", 0, 2**63 - 1),
            ("processes", 1, 256),  # more than any machine has cores
        ):
            value = getattr(self, name)
            if not lowest <= value <= highest:
                raise DatasetError(f"{name} is {value}; give {lowest} to {highest}")


@dataclass(frozen=True)
class Plan:
    """The content of a dataset; arrays have one entry per still."""

    stills: tuple[Candidate, ...]
    """The stills that are used."""
    labels: ChosenLabels
    """The labels of the dataset."""
    shown: tuple[Labelled, ...]
    """The labels and boxes of each still."""
    groups: NDArray[np.int64]
    """(n,) equal for near-duplicates."""
    split: Split
    """The part of each still."""
    left_out: tuple[LeftOut, ...]
    """Files that are not used, with the reason."""
    wrong_boxes: tuple[WrongBox, ...] = ()
    """Boxes that are not used, with the reason."""

    @cached_property
    def label_numbers(self) -> NDArray[np.int64]:
        """The main label of each still."""
        return np.array([shown.label_number for shown in self.shown], np.int64)

    def label_of(self, index: int) -> str:
        """Return the main label of a still."""
        return self.labels.labels[int(self.label_numbers[index])]

    @property
    def counts(self) -> dict[str, tuple[int, ...]]:
        """Number of stills of each label in each part."""
        size = len(self.labels.labels)
        return {
            part: tuple(
                np.bincount(self.label_numbers[self.split.part(part)], minlength=size).tolist()
            )
            for part in PARTS
        }

    @property
    def fingerprint(self) -> str:
        """Fingerprint of labels, contents and boxes, independent of file names and the split."""
        return fingerprint(
            (self.label_of(index), item.sha256, *_in_words(self.shown[index]))
            for index, item in enumerate(self.stills)
        )

    @property
    def has_boxes(self) -> bool:
        """Whether any still has a box."""
        return any(shown.boxes for shown in self.shown)

    @property
    def box_counts(self) -> dict[str, tuple[int, ...]]:
        """Number of boxes of each label in each part."""
        size = len(self.labels.labels)
        return {
            part: tuple(
                np.bincount(
                    [
                        number
                        for index in self.split.part(part).tolist()
                        for number in self.shown[index].box_numbers
                    ],
                    minlength=size,
                ).tolist()
            )
            for part in PARTS
        }

    def test_with_train_twin(self) -> int:
        """Count the stills of the test part that have a near-duplicate in train."""
        hashes = np.stack([item.difference_hash for item in self.stills])
        return int(has_near_twin(hashes[self.split.test], hashes[self.split.train]).sum())


def plan_dataset(
    read: Sequence[Candidate],
    left_out: Sequence[LeftOut],
    wrong_boxes: Sequence[WrongBox],
    options: BuildOptions,
    where: str,
) -> Plan:
    """Clean, choose and split stills.

    Args:
        read: All stills that could be read, in the order of their files.
        left_out: Stills that were left out before.
        wrong_boxes: Boxes that were left out before.
        options: How the dataset is built.
        where: The sources, for the message of an error.

    Raises:
        StillsError: The stills cannot make a dataset.
    """
    usable, boxless, tiny = without_tiny_boxes(read)
    once, repeated = without_duplicates(usable)
    labels = choose_labels(options.choice, [item.file.labels for item in once], where)
    used = [(item, shown) for item in once if (shown := labels.used(item.file))]
    stills = tuple(item for item, _ in used)
    all_shown = tuple(shown for _, shown in used)
    label_numbers = np.array([shown.label_number for shown in all_shown], np.int64)
    groups = group_near_duplicates(np.stack([item.difference_hash for item in stills]))
    contents = [item.sha256 for item in stills]
    if options.split == "grouped":
        split = split_by_groups(label_numbers, contents, groups, options.seed)
    else:
        split = split_at_random(label_numbers, contents, options.seed)
    return Plan(
        stills,
        labels,
        all_shown,
        groups,
        split,
        (*left_out, *boxless, *repeated),
        (*wrong_boxes, *tiny),
    )


def _in_words(shown: Labelled) -> list[str]:
    """Return the boxes' part of a still's line in the fingerprint; empty without boxes."""
    if not shown.boxes:
        return []
    boxes = sorted(f"{box.label} {' '.join(map(str, box.corners))}" for box in shown.boxes)
    return [*boxes, "all boxed"] if shown.all_boxed else boxes
