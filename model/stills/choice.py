"""Choose the stills of a dataset and their labels."""

from collections import Counter
from collections.abc import Collection, Iterable, Mapping, Sequence
from dataclasses import dataclass, replace
from difflib import get_close_matches
from itertools import compress
from typing import Final

from model.errors import StillsError
from model.labels import UNKNOWN
from model.pictures.boxes import main_label
from model.stills.boxes import Labelled, joined_boxes
from model.stills.candidates import Candidate
from model.stills.files import FoundStills, LeftOut, StillFile

MIN_PER_LABEL: Final = 3
"""One still each for train, validation and test."""

OTHERS: Final = ("keep", "drop")
"""The treatments of stills whose label is not chosen."""


@dataclass(frozen=True)
class Choice:
    """A choice of labels; by default all.

    Raises:
        StillsError: A number is out of bounds, or `others` is unknown.
    """

    labels: tuple[str, ...] | None = None
    """Choose only these."""
    top: int | None = None
    """Choose only this number of labels, those with the most stills."""
    min_images: int = 1
    """Choose only labels with at least this number of stills."""
    others: str = "keep"
    """`keep` the stills of all other labels as `unknown`, or `drop` them."""
    without: tuple[str, ...] = ()
    """Leave these labels out completely, not even as `unknown`: for example to test on them
    later."""

    def __post_init__(self) -> None:
        if self.top is not None and self.top < 2:
            raise StillsError(f"top is {self.top}; give 2 labels or more to tell apart")
        if self.min_images < 1:
            raise StillsError(f"min-images is {self.min_images}; give 1 or more")
        if self.others not in OTHERS:
            raise StillsError(f"others is {self.others!r}; give {' or '.join(OTHERS)}")
        if self.labels and UNKNOWN in self.labels:
            raise StillsError(f"{UNKNOWN} cannot be chosen: all other labels become it")
        both = sorted(set(self.labels or ()) & set(self.without))
        if both:
            raise StillsError(f"labels both chosen and left out: {', '.join(both)}")


@dataclass(frozen=True)
class ChosenLabels:
    """The labels of a dataset, and the treatment of the labels of its files."""

    labels: tuple[str, ...]
    """Sorted; `unknown`, if present, comes last."""
    others: Mapping[str, int]
    """Number of stills of each label that was not chosen."""
    others_are_kept: bool
    """Whether these stills are used as `unknown`."""

    def number_of(self, label: str) -> int | None:
        """Return the number of a file's label, or None if the file is not used."""
        if label in self.others:
            return len(self.labels) - 1 if self.others_are_kept else None
        return self.labels.index(label)

    def used(self, file: StillFile) -> Labelled | None:
        """Return a still's labels and boxes under these labels, or None if it is not used.

        A box of a label that was not chosen becomes `unknown`, or is dropped. If the main label was
        not chosen, the largest box with a chosen label determines it.
        """
        boxes = [
            replace(drawn.box, label=self.labels[number])
            for drawn in file.boxes
            if (number := self.number_of(drawn.box.label)) is not None
        ]
        numbers = tuple(self.labels.index(box.label) for box in boxes)
        main = self.number_of(file.label)
        shown = {*numbers} if main is None else {*numbers, main}
        if not shown:
            return None
        if file.label in self.others and boxes:
            main = self.labels.index(main_label(boxes))
        assert main is not None, "it has a box, whose label names it"
        return Labelled(main, tuple(sorted(shown)), tuple(boxes), numbers, file.all_boxed)


def without_duplicates(
    candidates: Sequence[Candidate],
) -> tuple[list[Candidate], list[LeftOut]]:
    """Keep the first of identical files, with the boxes of all; none if their folders disagree."""
    by_content: dict[str, list[Candidate]] = {}
    for candidate in candidates:
        by_content.setdefault(candidate.sha256, []).append(candidate)
    kept, left_out = [], []
    for same in by_content.values():
        labels = sorted({item.file.label for item in same if item.file.is_in_label_folder})
        if len(labels) > 1:
            reason = f"the same file is under {' and '.join(labels)}: keep the right one"
            left_out += [LeftOut(item.file.path, "two labels", reason) for item in same]
            continue
        file = joined_boxes([item.file for item in same]) if len(same) > 1 else same[0].file
        kept.append(replace(same[0], file=file))
        reason = f"the same file as {same[0].file.path}"
        left_out += [LeftOut(item.file.path, "duplicate", reason) for item in same[1:]]
    return kept, left_out


def leave_labels_out(choice: Choice, found: FoundStills, where: str) -> FoundStills:
    """Move the files of excluded labels to those left out.

    Args:
        choice: The user's choice.
        found: All files.
        where: The sources, for the message of an error.

    Raises:
        StillsError: An excluded label has no still.
    """
    _check_known(choice.without, labels_of(found.files), where)
    wished_away = [not file.labels.isdisjoint(choice.without) for file in found.files]
    reason = "its label, or that of a box in it, was wished away"
    return FoundStills(
        tuple(compress(found.files, (not away for away in wished_away))),
        (
            *found.left_out,
            *(
                LeftOut(file.path, "wished away", reason)
                for file in compress(found.files, wished_away)
            ),
        ),
        found.wrong_boxes,
        found.names,
    )


def labels_of(files: Iterable[StillFile]) -> frozenset[str]:
    """Return all labels of these stills."""
    return frozenset().union(*(file.labels for file in files))


def choose_labels(choice: Choice, found: Sequence[Collection[str]], where: str) -> ChosenLabels:
    """Choose labels; a still counts for each of its labels.

    Args:
        choice: The user's choice.
        found: The labels of each still.
        where: The sources, for the message of an error.

    Raises:
        StillsError: A chosen label has no still, fewer than two labels are left, or a label has too
            few stills to be split.
    """
    counts = Counter(label for labels in found for label in set(labels))
    ranked = sorted((label for label in counts if label != UNKNOWN), key=lambda x: (-counts[x], x))
    if choice.labels is not None:
        _check_known(choice.labels, ranked, where)
        ranked = [label for label in ranked if label in choice.labels]
    chosen = [label for label in ranked if counts[label] >= choice.min_images][: choice.top]
    others = {label: counts[label] for label in sorted(counts) if label not in chosen}
    keeps = choice.others == "keep" and bool(others)
    _check_counts(chosen, counts, where)
    strangers = sum(not others.keys().isdisjoint(labels) for labels in found)
    if keeps and strangers < MIN_PER_LABEL:
        raise StillsError(
            f"{where}: {strangers} pictures of other labels, too few for {UNKNOWN}; "
            "leave them out with --others drop"
        )
    labels = (*sorted(chosen), UNKNOWN) if keeps else tuple(sorted(chosen))
    return ChosenLabels(labels, others, keeps)


def _check_known(wished: Sequence[str], found: Collection[str], where: str) -> None:
    for label in wished:
        if label not in found:
            close = get_close_matches(label, found, n=3) or sorted(found)
            hint = f"there is {', '.join(close)}" if close else "there is no picture at all"
            raise StillsError(f"{where}: no picture of {label}; {hint}")


def _check_counts(chosen: Sequence[str], counts: Mapping[str, int], where: str) -> None:
    if len(chosen) < 2:
        named = f" ({chosen[0]})" if chosen else ""
        raise StillsError(
            f"{where}: {len(chosen)} labels with pictures{named}; give a folder each for 2 or more"
        )
    scarce = sorted(label for label in chosen if counts[label] < MIN_PER_LABEL)
    if scarce:
        raise StillsError(
            f"{where}: fewer than {MIN_PER_LABEL} pictures of {', '.join(scarce)}; "
            "add some, or remove the label"
        )
