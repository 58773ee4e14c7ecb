"""Print facts about a dataset: counts, boxes, near-duplicates, and stills left out."""

from collections.abc import Mapping, Sequence

from castline.stills.values import Built, Dataset, DoubtfulBoxes, Twin
from cli.console import print_table, say

GROUPS_LISTED = 10
"""Groups of near-duplicates in the table: a sample; --json and stills.csv list all."""


def print_counts(dataset: Dataset) -> None:
    """Print the number of stills of each label in each set."""
    train, validation, test = (dataset.counts[part] for part in ("train", "validation", "test"))
    rows = [
        (dataset.names[label], *map(str, (sum(counts), *counts)))
        for label, *counts in zip(dataset.labels, train, validation, test, strict=True)
    ]
    totals = (sum(train), sum(validation), sum(test))
    rows.append(("total", *map(str, (sum(totals), *totals))))
    columns = ("character", "stills", "train", "validation", "test")
    print_table(columns, rows, numbers="stills train validation test")
    say(
        f"Split {dataset.split}, seed {dataset.seed}: {dataset.test_with_train_twin} of"
        f" {totals[2]} test stills have a near-identical twin in train."
    )
    if dataset.others:
        fate = "are there as unknown" if dataset.others_are_kept else "were dropped"
        others = ", ".join(
            f"{dataset.names[label]} {count}" for label, count in dataset.others.items()
        )
        say(f"Stills of other labels that {fate}: {others}")


def print_boxes(dataset: Dataset, by_boxes: Mapping[str, int]) -> None:
    """Print the number of boxes, if there are any."""
    boxes = dataset.boxes
    if boxes is None:
        return
    say(
        f"Stills with one box {by_boxes['one']}, two {by_boxes['two']}, three or more"
        f" {by_boxes['three_or_more']}, none {by_boxes['none']}; in {by_boxes['all_boxed']}"
        " everybody has one:"
    )
    by_label = zip(dataset.labels, *(boxes[part] for part in boxes), strict=True)
    names = dataset.names
    rows = [(names[label], *map(str, (sum(counts), *counts))) for label, *counts in by_label]
    print_table(
        ("character", "boxes", *boxes),
        [row for row in rows if row[1] != "0"],
        numbers=" ".join(("boxes", *boxes)),
    )


def print_groups(groups: Sequence[tuple[Twin, ...]], names: Mapping[str, str]) -> None:
    """Print the largest groups of near-duplicates."""
    if not groups:
        say("")
        say("No near-duplicates.")
        return
    stills = sum(map(len, groups))
    say("")
    say(f"{len(groups)} groups of near-duplicates with {stills} stills; the largest:")
    print_table(
        ("stills", "sets", "characters", "first"),
        [
            (
                str(len(group)),
                ", ".join(sorted({twin.set for twin in group})),
                ", ".join(sorted({names[twin.label] for twin in group})),
                group[0].source,
            )
            for group in groups[:GROUPS_LISTED]
        ],
        numbers="stills",
    )


def print_doubtful_boxes(found: DoubtfulBoxes) -> None:
    """Print boxes that lie far from where a model sees their label, as shares of the picture."""
    if not found:
        say("No box lies far from where the model sees its label.")
        return
    print_table(
        ("picture", "character", "box", "seen at", "confidence"),
        [
            (
                each.picture,
                found.names[each.label],
                _in_words(each.box),
                _in_words(each.seen),
                f"{each.confidence:.2f}",
            )
            for each in found
        ],
        numbers="confidence",
    )


def _in_words(corners: tuple[float, ...]) -> str:
    return " ".join(f"{corner:.2f}" for corner in corners)


def say_what_is_missing(dataset: Dataset) -> None:
    """Name the labels that are missing from a set."""
    for part, counts in dataset.counts.items():
        boxes = dataset.boxes[part] if dataset.boxes else (0,) * len(counts)
        by_label = zip(dataset.labels, counts, boxes, strict=True)
        without = ", ".join(dataset.names[label] for label, *seen in by_label if not any(seen))
        if without:
            say(
                f"No {part} stills of {without}: too many are near-duplicates of each other;"
                " add stills of other scenes, or build without it"
            )


def say_what_was_left_out(built: Built) -> None:
    """Print how many stills of the sources a build left out, and why."""
    for what, counts in (
        ("Left out", built.left_out),
        ("Wrong boxes, left out", built.wrong_boxes),
    ):
        found = ", ".join(f"{count} {kind}" for kind, count in counts.items())
        if found or what == "Left out":
            say(f"{what}: {found or 'nothing'}" + (f"; see {built.report}" if found else ""))
