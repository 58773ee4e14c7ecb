"""What goes where in a dataset: which stills, under which labels, in which part."""

from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import Final

import numpy as np
from numpy.typing import NDArray

from model.errors import DatasetError
from model.fingerprint import fingerprint
from model.near_duplicates import group_near_duplicates, has_near_twin
from model.split import PARTS, SPLITS, Split, split_at_random, split_by_groups
from model.still_choice import Candidate, Choice, ChosenLabels, choose_labels, without_duplicates
from model.still_files import LeftOut

MAX_SHARDS: Final = 1000
"""Per part: a part's shards are all open while they are written."""


@dataclass(frozen=True)
class BuildOptions:
    """How a dataset is made of stills.

    Raises:
        DatasetError: a value is out of bounds; the line names it.
    """

    choice: Choice = field(default_factory=Choice)
    """Which labels."""
    split: str = "grouped"
    """One of SPLITS."""
    shards: int = 15
    """Files per part: the task's number."""
    seed: int = 0
    """Of the split and of the order in the shards."""
    processes: int = 1
    """How many read stills."""

    def __post_init__(self) -> None:
        if self.split not in SPLITS:
            raise DatasetError(f"split is {self.split!r}; give {' or '.join(SPLITS)}")
        for name, lowest, highest in (
            ("shards", 1, MAX_SHARDS),
            ("seed", 0, 2**63 - 1),
            ("processes", 1, 256),  # more than any one machine's cores
        ):
            value = getattr(self, name)
            if not lowest <= value <= highest:
                raise DatasetError(f"{name} is {value}; give {lowest} to {highest}")


@dataclass(frozen=True)
class Plan:
    """What goes where; arrays have one entry per still."""

    stills: tuple[Candidate, ...]
    labels: ChosenLabels
    label_numbers: NDArray[np.int64]
    groups: NDArray[np.int64]
    split: Split
    left_out: tuple[LeftOut, ...]

    def label_of(self, index: int) -> str:
        """Return the label under which a still is used."""
        return self.labels.labels[int(self.label_numbers[index])]

    @property
    def counts(self) -> dict[str, tuple[int, ...]]:
        """How many stills of each label each part holds."""
        size = len(self.labels.labels)
        return {
            part: tuple(
                np.bincount(self.label_numbers[self.split.part(part)], minlength=size).tolist()
            )
            for part in PARTS
        }

    @property
    def fingerprint(self) -> str:
        """Of the labels and contents, whatever the files' names and the split."""
        return fingerprint(
            (self.label_of(index), item.sha256) for index, item in enumerate(self.stills)
        )

    def test_with_train_twin(self) -> int:
        """Count the stills of the test that have a near-duplicate in train."""
        hashes = np.stack([item.difference_hash for item in self.stills])
        return int(has_near_twin(hashes[self.split.test], hashes[self.split.train]).sum())


def plan_dataset(
    read: Sequence[Candidate], left_out: Sequence[LeftOut], options: BuildOptions, where: str
) -> Plan:
    """Clean, choose and split stills.

    Args:
        read: all that could be read, in the order of their files.
        left_out: what was left out before.
        options: how.
        where: the sources, for an error's line.

    Raises:
        StillsError: the stills make no dataset.
    """
    once, repeated = without_duplicates(read)
    labels = choose_labels(options.choice, [item.file.label for item in once], where)
    numbers = [labels.number_of(item.file.label) for item in once]
    stills = tuple(item for item, number in zip(once, numbers, strict=True) if number is not None)
    label_numbers = np.array([number for number in numbers if number is not None], np.int64)
    groups = group_near_duplicates(np.stack([item.difference_hash for item in stills]))
    contents = [item.sha256 for item in stills]
    if options.split == "grouped":
        split = split_by_groups(label_numbers, contents, groups, options.seed)
    else:
        split = split_at_random(label_numbers, contents, options.seed)
    return Plan(stills, labels, label_numbers, groups, split, (*left_out, *repeated))
