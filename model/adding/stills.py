"""Read, clean and group the stills of labels that are added to a model."""

from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Final

import numpy as np
from numpy.typing import NDArray

from model.dataset.annotation import Annotation
from model.dataset.fingerprint import fingerprint
from model.dataset.stills import Stills
from model.errors import StillsError
from model.labels import UNKNOWN
from model.pictures.boxes import main_label
from model.pictures.near_duplicates import group_near_duplicates
from model.progress import Progress
from model.stills.boxes import without_tiny_boxes
from model.stills.candidates import Candidate
from model.stills.choice import without_duplicates
from model.stills.files import FoundStills, StillFile
from model.stills.reading import read_still
from model.stills.sources import find_sources

LEAST_STILLS: Final = 10
"""Least number of a label's stills, near-duplicates counted once: with fewer, its metrics and
thresholds would be chance."""

MOST_STILLS: Final = 400
"""Most stills of a label that are used: with more, `castline train` on all stills is better."""


@dataclass(frozen=True)
class AddedStills:
    """Stills of the added labels."""

    stills: Stills
    """The last of its labels is `unknown`, for boxes of labels that are not added."""
    groups: NDArray[np.int64]
    """(n,) equal for near-duplicates."""
    boxed: NDArray[np.bool_]
    """(n,) whether each has a box of its label."""
    left_out: int
    """Number of files that were not pictures, duplicates, or of other labels."""
    fingerprint: str
    """Fingerprint of labels, contents and boxes."""

    @property
    def labels(self) -> tuple[str, ...]:
        """The added labels, without `unknown`."""
        return self.stills.labels[:-1]

    def of(self, number: int) -> NDArray[np.int64]:
        """Return the indices of a label's stills."""
        return np.flatnonzero(self.stills.label_numbers == number)


def read_added(sources: Mapping[str, Sequence[Path]], tell: Progress) -> AddedStills:
    """Read the stills of labels.

    Args:
        sources: By label: folders of its stills, under any name, and files of boxes, of which
            pictures with a box of the label are used.
        tell: Called with a step's name, and how much of it is done out of how much.

    Raises:
        StillsError: A folder or file does not exist, or a label has too few stills.
    """
    found = {label: _files_of(label, find_sources(paths)) for label, paths in sources.items()}
    total = sum(map(len, found.values()))
    read: list[Candidate] = []
    pictures: dict[str, NDArray[np.uint8]] = {}
    done = 0
    for files in found.values():
        for file in files:
            tell("Reading stills", done, total)
            done += 1
            try:
                still = read_still(file.path)
            except StillsError:
                continue  # it counts among those left out
            height, width = still.picture.shape[:2]
            read.append(Candidate(file, still.sha256, still.difference_hash, (height, width)))
            pictures[still.sha256] = still.picture
    tell("Reading stills", total, total)
    usable = [
        replace(item, file=_own(item.file, sources))
        for item in without_duplicates(without_tiny_boxes(read)[0])[0]
        if item.file.labels & sources.keys()
    ]
    return _unpacked(sources, usable, pictures, total)


def _unpacked(
    sources: Mapping[str, Sequence[Path]],
    usable: Sequence[Candidate],
    pictures: Mapping[str, NDArray[np.uint8]],
    total: int,
) -> AddedStills:
    hashes = [item.difference_hash for item in usable]
    groups = group_near_duplicates(np.stack(hashes)) if hashes else np.empty(0, np.int64)
    chosen: list[int] = []
    for label, paths in sources.items():
        own = [number for number, item in enumerate(usable) if item.file.label == label]
        different = len(np.unique(groups[own]))
        if different < LEAST_STILLS:
            where = ", ".join(map(str, paths))
            raise StillsError(
                f"{where}: {different} different pictures of {label}, too few to add it; "
                f"give {LEAST_STILLS} or more, 20 to 100 are good"
            )
        # evenly spread over the files' order, which mostly follows scenes
        chosen += [own[each] for each in np.linspace(0, len(own) - 1, MOST_STILLS).astype(int)]
    chosen = list(dict.fromkeys(chosen))
    labels = (*sources, UNKNOWN)
    items = [usable[number] for number in chosen]
    shown = [_shown(item.file, labels) for item in items]
    own_boxes = [bool((one.boxes[:, 0] == one.label_number).any()) for one in shown]
    return AddedStills(
        Stills.from_pictures(
            labels,
            ((pictures[item.sha256], one) for item, one in zip(items, shown, strict=True)),
        ),
        groups[chosen],
        np.array(own_boxes, np.bool_),
        total - len(chosen),
        fingerprint(
            (item.file.label, item.sha256, *(str(drawn.box) for drawn in item.file.boxes))
            for item in items
        ),
    )


def _files_of(label: str, found: FoundStills) -> list[StillFile]:
    """Return the files that show a label, as its own.

    A folder without boxes counts for the label under any name, unless some of its files lie in
    folders with the label's name: then only these count.
    """
    plain = [file for file in found.files if file.is_in_label_folder]
    named = [file for file in plain if file.label == label]
    boxed = [
        file
        for file in found.files
        if not file.is_in_label_folder and label in {drawn.box.label for drawn in file.boxes}
    ]
    return [replace(file, label=label) for file in (*(named or plain), *boxed)]


def _own(file: StillFile, labels: Collection[str]) -> StillFile:
    """Relabel a file of another label by its largest box of these labels."""
    if file.label in labels:
        return file
    boxes = [drawn.box for drawn in file.boxes if drawn.box.label in labels]
    return replace(file, label=main_label(boxes))


def _shown(file: StillFile, labels: tuple[str, ...]) -> Annotation:
    """Return a still's labels and boxes; boxes of labels that are not added become `unknown`."""

    def number_of(label: str) -> int:
        return labels.index(label if label in labels else UNKNOWN)

    boxes = [(number_of(drawn.box.label), *drawn.box.corners) for drawn in file.boxes]
    numbers = {number_of(file.label), *(number for number, *_ in boxes)}
    return Annotation(
        number_of(file.label),
        tuple(sorted(numbers)),
        np.array(boxes, np.float32).reshape(-1, 5),
        file.all_boxed,
    )
