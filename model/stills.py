"""A folder of labelled stills: read, fingerprinted, and split honestly."""

import hashlib
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Final, Self

import numpy as np
from numpy.typing import NDArray

from model.errors import StillsError
from model.near_duplicates import difference_hash, group_near_duplicates
from model.pictures import read_picture
from model.preprocess import fit_to_canvas, fitted_size

_MIN_PER_LABEL: Final = 3  # one each to train, to validate and to test


@dataclass(frozen=True)
class Stills:
    """Labelled stills, ready for a network; all arrays have one entry per still."""

    labels: tuple[str, ...]
    """Sorted; a still's label is an index into them."""
    canvases: NDArray[np.uint8]
    """(n, 84, 84, 3), as `model.preprocess.fit_to_canvas` makes them."""
    sizes: NDArray[np.int64]
    """(n, 2) height and width in pixels of the picture on its canvas."""
    label_numbers: NDArray[np.int64]
    """(n,)"""
    groups: NDArray[np.int64]
    """(n,) stills of one group are near-duplicates."""

    def __len__(self) -> int:
        return len(self.label_numbers)

    def subset(self, chosen: NDArray[np.int64]) -> Self:
        """Return the stills at these indices, with all labels."""
        return type(self)(
            self.labels,
            self.canvases[chosen],
            self.sizes[chosen],
            self.label_numbers[chosen],
            self.groups[chosen],
        )


@dataclass(frozen=True)
class StillsFolder:
    """What was read from a folder."""

    stills: Stills
    sha256: str
    """Fingerprint: of the sorted lines `label SHA-256-of-content`, whatever the files' names."""
    unreadable: tuple[tuple[Path, str], ...]
    """Files left out, with the reason."""


@dataclass(frozen=True)
class Split:
    """Indices of the stills to train with, to choose with, and to report on."""

    train: NDArray[np.int64]
    validation: NDArray[np.int64]
    test: NDArray[np.int64]


def read_stills(folder: Path) -> StillsFolder:
    """Read a folder that has one folder of pictures per label.

    Hidden files are passed over. A file that is no picture is left out and listed.

    Args:
        folder: holds `LABEL/FILE` for each still; the labels' names become the labels.

    Raises:
        StillsError: there is no such folder, fewer than two labels, or a label with fewer than
            three pictures.
    """
    canvases, sizes, hashes, label_names, lines = [], [], [], [], []
    unreadable = []
    for path in _files(folder):
        content = path.read_bytes()
        try:
            picture = read_picture(content)
        except StillsError as error:
            unreadable.append((path, str(error)))
            continue
        canvases.append(fit_to_canvas(picture))
        sizes.append(fitted_size(*picture.shape[:2]))
        hashes.append(difference_hash(picture))
        label_names.append(path.parent.name)
        lines.append(f"{path.parent.name} {hashlib.sha256(content).hexdigest()}\n")
    _check_counts(folder, label_names)
    labels, label_numbers = np.unique(label_names, return_inverse=True)
    stills = Stills(
        tuple(map(str, labels)),
        np.stack(canvases),
        np.array(sizes, np.int64),
        label_numbers.astype(np.int64),
        group_near_duplicates(np.stack(hashes)),
    )
    fingerprint = hashlib.sha256("".join(sorted(lines)).encode()).hexdigest()
    return StillsFolder(stills, fingerprint, tuple(unreadable))


def split_by_groups(stills: Stills, seed: int) -> Split:
    """Split stills at random, about 72 % to train, 18 % to validate, 10 % to test.

    Per label of n stills, test takes a tenth and validation a fifth of what is left, both rounded
    up: the rule of the original task. Near-duplicates stay together, whatever their labels; so a
    label's counts may be off by a group.

    Args:
        stills: which.
        seed: of the order in which groups are dealt.

    Raises:
        StillsError: a part stays empty, because nearly all stills are near-duplicates.
    """
    rng = np.random.default_rng(seed)
    room = _places(np.bincount(stills.label_numbers, minlength=len(stills.labels)))
    parts: tuple[list[int], list[int], list[int]] = ([], [], [])
    for members in _groups(stills.groups, rng):
        wanted = np.bincount(stills.label_numbers[members], minlength=len(stills.labels))
        left = (room * (wanted > 0)).sum(axis=1)
        fits = ((room >= wanted) | (wanted == 0)).all(axis=1)
        # in proportion to the places left, so that each part has its share of large groups
        chances = np.where(fits, left, 0) if fits.any() else np.maximum(left, 0) + 1e-9
        part = int(rng.choice(len(parts), p=chances / chances.sum()))
        room[part] -= wanted
        parts[part].extend(members)
    if not all(parts):
        raise StillsError(
            f"{len(stills)} pictures are in {len(np.unique(stills.groups))} groups of "
            "near-duplicates, too few to split; add pictures of other scenes"
        )
    train, validation, test = (np.sort(np.array(part, np.int64)) for part in parts)
    return Split(train, validation, test)


def _places(counts: NDArray[np.int64]) -> NDArray[np.int64]:
    """Return (3, labels): how many stills of each label to train, validate and test with."""
    test = -(-counts // 10)
    validation = -(-(counts - test) // 5)
    return np.stack([counts - test - validation, validation, test])


def _groups(groups: NDArray[np.int64], rng: np.random.Generator) -> list[NDArray[np.int64]]:
    """Return each group's indices: large groups first, while there is room, else in any order."""
    order = np.argsort(groups, kind="stable")
    members = np.split(order, np.flatnonzero(np.diff(groups[order])) + 1)
    shuffled = [members[index] for index in rng.permutation(len(members))]
    return sorted(shuffled, key=len, reverse=True)


def _files(folder: Path) -> Iterator[Path]:
    if not folder.is_dir():
        raise StillsError(f"{folder}: no such folder; give one that holds LABEL/PICTURE files")
    for path in sorted(folder.glob("*/*")):
        if path.is_file() and not path.name.startswith("."):
            yield path


def _check_counts(folder: Path, label_names: list[str]) -> None:
    labels, counts = np.unique(label_names, return_counts=True)
    if len(labels) < 2:
        raise StillsError(
            f"{folder}: {len(labels)} labels with pictures; give a folder each for 2 or more"
        )
    scarce = [str(label) for label in labels[counts < _MIN_PER_LABEL]]
    if scarce:
        raise StillsError(
            f"{folder}: fewer than {_MIN_PER_LABEL} pictures of {', '.join(scarce)}; "
            "add some or take the label away"
        )
