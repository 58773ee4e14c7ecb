"""Which stills train, which validate, which test: at random as the task did, or without leaks."""

from dataclasses import dataclass
from typing import Final

import numpy as np
from numpy.typing import NDArray

from model.errors import StillsError

PARTS: Final = ("train", "validation", "test")
"""What stills are split into."""

SPLITS: Final = ("grouped", "random")
"""The ways to split; the first keeps near-duplicates together."""


@dataclass(frozen=True)
class Split:
    """Indices of the stills to train with, to choose with, and to report on; each ascending."""

    train: NDArray[np.int64]
    validation: NDArray[np.int64]
    test: NDArray[np.int64]

    def part(self, name: str) -> NDArray[np.int64]:
        """Return the indices of one of PARTS."""
        return dict(zip(PARTS, (self.train, self.validation, self.test), strict=True))[name]


def split_at_random(label_numbers: NDArray[np.int64], seed: int) -> Split:
    """Split as the original task did, whatever is near-identical.

    Of a label's n stills, test takes ceil(0.1 n), validation ceil(0.2 (n - test)), train the rest.

    Args:
        label_numbers: (n,) the label of each still.
        seed: of the order in which they are dealt.
    """
    rng = np.random.default_rng(seed)
    parts: tuple[list[int], list[int], list[int]] = ([], [], [])
    for label, places in enumerate(_places(np.bincount(label_numbers)).T):
        shuffled = rng.permutation(np.flatnonzero(label_numbers == label))
        for part, members in zip(parts, np.split(shuffled, np.cumsum(places)[:-1]), strict=True):
            part.extend(members)
    return _split(parts)


def split_by_groups(
    label_numbers: NDArray[np.int64], groups: NDArray[np.int64], seed: int
) -> Split:
    """Split at random by the same rule, but keep near-duplicates together, whatever their labels.

    So a label's counts may be off by a group.

    Args:
        label_numbers: (n,) the label of each still.
        groups: (n,) stills of one group are near-duplicates.
        seed: of the order in which groups are dealt.

    Raises:
        StillsError: a part stays empty, because nearly all stills are near-duplicates.
    """
    rng = np.random.default_rng(seed)
    room = _places(np.bincount(label_numbers))
    parts: tuple[list[int], list[int], list[int]] = ([], [], [])
    for members in _members(groups, rng):
        wanted = np.bincount(label_numbers[members], minlength=room.shape[1])
        left = (room * (wanted > 0)).sum(axis=1)
        fits = ((room >= wanted) | (wanted == 0)).all(axis=1)
        if fits.any():
            # in proportion to the places left, so that each part has its share of large groups
            chances = np.where(fits, left, 0)
            part = int(rng.choice(len(parts), p=chances / chances.sum()))
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


def _places(counts: NDArray[np.int64]) -> NDArray[np.int64]:
    """Return (3, labels): how many stills of each label to train, validate and test with."""
    test = -(-counts // 10)
    validation = -(-(counts - test) // 5)
    return np.stack([counts - test - validation, validation, test])


def _members(groups: NDArray[np.int64], rng: np.random.Generator) -> list[NDArray[np.int64]]:
    """Return each group's indices: large groups first, while there is room, else in any order."""
    order = np.argsort(groups, kind="stable")
    members = np.split(order, np.flatnonzero(np.diff(groups[order])) + 1)
    shuffled = [members[index] for index in rng.permutation(len(members))]
    return sorted(shuffled, key=len, reverse=True)


def _split(parts: tuple[list[int], list[int], list[int]]) -> Split:
    return Split(*(np.sort(np.array(part, np.int64)) for part in parts))
