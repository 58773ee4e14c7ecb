"""Split stills into train, validation and test: at random as the task did, or without leakage."""

import hashlib
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Final

import numpy as np
from numpy.typing import NDArray

from model.errors import StillsError

PARTS: Final = ("train", "validation", "test")
"""The parts of a split."""

SPLITS: Final = ("grouped", "random")
"""The kinds of splits; the first keeps near-duplicates together."""


@dataclass(frozen=True)
class Split:
    """Indices of the stills for training, validation and test; each ascending."""

    train: NDArray[np.int64]
    validation: NDArray[np.int64]
    test: NDArray[np.int64]

    def part(self, name: str) -> NDArray[np.int64]:
        """Return the indices of one of PARTS."""
        return dict(zip(PARTS, (self.train, self.validation, self.test), strict=True))[name]


def split_at_random(label_numbers: NDArray[np.int64], contents: Sequence[str], seed: int) -> Split:
    """Split as the original task did, ignoring near-duplicates.

    Of the n stills of a label, test takes ceil(0.1 n), validation ceil(0.2 (n - test)), train the
    rest. A still's content and the seed decide its part, so that nearly all stills keep their parts
    when the set grows.

    Args:
        label_numbers: (n,) the label of each still.
        contents: (n,) the SHA-256 of each still, as hexadecimal digits.
        seed: Another seed gives another split.
    """
    chances = _chances(contents, seed)
    parts: tuple[list[int], list[int], list[int]] = ([], [], [])
    for label, places in enumerate(_places(np.bincount(label_numbers)).T):
        members = np.flatnonzero(label_numbers == label)
        dealt = np.split(members[np.argsort(chances[members])], np.cumsum(places)[:-1])
        for part, indices in zip(parts, dealt, strict=True):
            part.extend(indices)
    return _split(parts)


def split_by_groups(
    label_numbers: NDArray[np.int64],
    contents: Sequence[str],
    groups: NDArray[np.int64],
    seed: int,
) -> Split:
    """Split by the same rule, as stably, but keep near-duplicates together.

    A label's counts may therefore be off by a group.

    Args:
        label_numbers: (n,) the label of each still.
        contents: (n,) the SHA-256 of each still, as hexadecimal digits.
        groups: (n,) stills of one group are near-duplicates, also of different labels.
        seed: Another seed gives another split.

    Raises:
        StillsError: A part stays empty, because nearly all stills are near-duplicates.
    """
    chances = _chances(contents, seed)
    room = _places(np.bincount(label_numbers))
    parts: tuple[list[int], list[int], list[int]] = ([], [], [])
    for members in _members(groups, contents):
        wanted = np.bincount(label_numbers[members], minlength=room.shape[1])
        left = (room * (wanted > 0)).sum(axis=1)
        fits = ((room >= wanted) | (wanted == 0)).all(axis=1)
        if fits.any():
            # in proportion to the room left, so that each part gets its share of large groups
            shares = np.cumsum(np.where(fits, left, 0))
            part = int(np.searchsorted(shares, chances[members[0]] * shares[-1], side="right"))
        else:
            part = int(left.argmax())
        room[part] -= wanted
        parts[part].extend(members)
    if not all(parts):
        raise StillsError(
            f"{len(label_numbers)} pictures are in {len(np.unique(groups))} groups of "
            "near-duplicates, too few to split; add pictures of other scenes"
        )
    return _split(parts)


def _chances(contents: Sequence[str], seed: int) -> NDArray[np.float64]:
    """Return (n,) a uniformly distributed number in [0, 1) for each content, by the seed."""
    digests = (hashlib.sha256(f"{seed} {content}".encode()).digest() for content in contents)
    return np.array([int.from_bytes(digest[:6]) / 2**48 for digest in digests])


def _places(counts: NDArray[np.int64]) -> NDArray[np.int64]:
    """Return (3, labels): the number of stills of each label for train, validation and test."""
    test = -(-counts // 10)
    validation = -(-(counts - test) // 5)
    return np.stack([counts - test - validation, validation, test])


def _members(groups: NDArray[np.int64], contents: Sequence[str]) -> list[NDArray[np.int64]]:
    """Return each group's indices: large groups first, while there is room.

    Stills within a group, and groups of the same size, are ordered by content.
    """
    order = np.lexsort((np.array(contents), groups))
    members = np.split(order, np.flatnonzero(np.diff(groups[order])) + 1)
    return sorted(members, key=lambda group: (-len(group), contents[group[0]]))


def _split(parts: tuple[list[int], list[int], list[int]]) -> Split:
    return Split(*(np.sort(np.array(part, np.int64)) for part in parts))
