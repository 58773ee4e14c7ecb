"""What is said of a dataset: counts, boxes, near-duplicates, and what was left out."""

import json
from collections import Counter
from collections.abc import Sequence
from typing import TYPE_CHECKING, Any

from cli.console import print_table, say

if TYPE_CHECKING:
    from model.dataset import Dataset
    from model.dataset_pages import NearDuplicates
    from model.doubtful_boxes import DoubtfulBox
    from model.labels import Names

GROUPS_LISTED = 10
"""Groups of near-duplicates in the table: for a look; --json and stills.csv have all."""


def print_counts(dataset: "Dataset") -> None:
    """Prints how many stills of each label each set holds."""
    manifest = dataset.manifest
    train, validation, test = (manifest.counts[part] for part in ("train", "validation", "test"))
    rows = [
        (manifest.names[label], *map(str, (sum(counts), *counts)))
        for label, *counts in zip(manifest.labels, train, validation, test, strict=True)
    ]
    totals = (sum(train), sum(validation), sum(test))
    rows.append(("total", *map(str, (sum(totals), *totals))))
    columns = ("character", "stills", "train", "validation", "test")
    print_table(columns, rows, numbers="stills train validation test")
    say(
        f"Split {manifest.split}, seed {manifest.seed}: {manifest.test_with_train_twin} of"
        f" {totals[2]} test stills have a near-identical twin in train."
    )
    if manifest.others:
        fate = "are there as unknown" if manifest.others_are_kept else "were dropped"
        others = ", ".join(
            f"{manifest.names[label]} {count}" for label, count in manifest.others.items()
        )
        say(f"Stills of other labels that {fate}: {others}")


def stills_by_boxes(dataset: "Dataset") -> dict[str, int]:
    """Counts stills by their number of boxes, and those in which everybody has one."""
    from model.dataset_table import read_table

    lines = read_table(dataset)
    counts = Counter(min(line.boxes, 3) for line in lines)
    return {
        "none": counts[0],
        "one": counts[1],
        "two": counts[2],
        "three_or_more": counts[3],
        "all_boxed": sum(line.all_boxed for line in lines),
    }


def print_boxes(dataset: "Dataset", by_boxes: dict[str, int]) -> None:
    """Prints how many boxes there are, if there are any."""
    boxes = dataset.manifest.boxes
    if boxes is None:
        return
    say(
        f"Stills with one box {by_boxes['one']}, two {by_boxes['two']}, three or more"
        f" {by_boxes['three_or_more']}, none {by_boxes['none']}; in {by_boxes['all_boxed']}"
        " everybody has one:"
    )
    by_label = zip(dataset.manifest.labels, *(boxes[part] for part in boxes), strict=True)
    names = dataset.manifest.names
    rows = [(names[label], *map(str, (sum(counts), *counts))) for label, *counts in by_label]
    print_table(
        ("character", "boxes", *boxes),
        [row for row in rows if row[1] != "0"],
        numbers=" ".join(("boxes", *boxes)),
    )


def print_groups(groups: list["NearDuplicates"], names: "Names") -> None:
    """Prints the largest groups of near-duplicates."""
    if not groups:
        say("")
        say("No near-duplicates.")
        return
    stills = sum(len(group.stills) for group in groups)
    say("")
    say(f"{len(groups)} groups of near-duplicates with {stills} stills; the largest:")
    print_table(
        ("stills", "sets", "characters", "first"),
        [
            (
                str(len(group.stills)),
                ", ".join(sorted({part for part, _, _ in group.stills})),
                ", ".join(sorted({names[label] for _, label, _ in group.stills})),
                group.stills[0][2],
            )
            for group in groups[:GROUPS_LISTED]
        ],
        numbers="stills",
    )


def print_doubtful_boxes(found: Sequence["DoubtfulBox"], names: "Names") -> None:
    """Prints boxes that lie far from where their label was seen, as shares of the picture."""
    if not found:
        say("No box lies far from where the model sees its label.")
        return
    print_table(
        ("picture", "character", "box", "seen at", "confidence"),
        [
            (
                each.source,
                names[each.box.label],
                _in_words(each.box.corners),
                _in_words(each.seen.corners),
                f"{each.confidence:.2f}",
            )
            for each in found
        ],
        numbers="confidence",
    )


def doubtful_box_json(found: "DoubtfulBox") -> dict[str, Any]:
    """Describes such a box as JSON; corners are left, top, right, bottom, shares of the picture."""
    return {
        "set": found.part,
        "picture": found.source,
        "label": found.box.label,
        "box": list(found.box.corners),
        "seen": list(found.seen.corners),
        "confidence": found.confidence,
    }


def _in_words(corners: tuple[float, ...]) -> str:
    return " ".join(f"{corner:.2f}" for corner in corners)


def say_what_is_missing(dataset: "Dataset") -> None:
    """Names the labels that a set does not show."""
    manifest = dataset.manifest
    for part, counts in manifest.counts.items():
        boxes = manifest.boxes[part] if manifest.boxes else (0,) * len(counts)
        by_label = zip(manifest.labels, counts, boxes, strict=True)
        without = ", ".join(manifest.names[label] for label, *seen in by_label if not any(seen))
        if without:
            say(
                f"No {part} stills of {without}: too many are near-duplicates of each other;"
                " add stills of other scenes, or build without it"
            )


def say_what_was_left_out(dataset: "Dataset") -> None:
    """Says how much of the sources a build did not use."""
    from model.dataset import REPORT

    path = dataset.folder / REPORT
    report = json.loads(path.read_text("utf-8"))
    for what, counts in (
        ("Left out", report["left_out_counts"]),
        ("Wrong boxes, left out", report["wrong_box_counts"]),
    ):
        found = ", ".join(f"{count} {kind}" for kind, count in counts.items())
        if found or what == "Left out":
            say(f"{what}: {found or 'nothing'}" + (f"; see {path}" if found else ""))


def dataset_json(
    dataset: "Dataset", groups: list["NearDuplicates"], by_boxes: dict[str, int]
) -> dict[str, Any]:
    """Returns all that `dataset show --json` tells."""
    from model.dataset import CONTACT_SHEET

    manifest = dataset.manifest
    return {
        "dataset": str(dataset.folder),
        "labels": list(manifest.labels),
        "names": manifest.names.shown(manifest.labels),
        "counts": {part: list(counts) for part, counts in manifest.counts.items()},
        "boxes": manifest.boxes and {part: list(n) for part, n in manifest.boxes.items()},
        "stills_by_boxes": by_boxes,
        "others": dict(manifest.others),
        "others_are_kept": manifest.others_are_kept,
        "split": manifest.split,
        "seed": manifest.seed,
        "fingerprint_sha256": manifest.fingerprint_sha256,
        "test_with_train_twin": manifest.test_with_train_twin,
        "groups": manifest.groups,
        "near_duplicates": [
            [{"set": part, "label": label, "source": source} for part, label, source in item.stills]
            for item in groups
        ],
        "contact_sheet": str(dataset.folder / CONTACT_SHEET),
        "created_at": manifest.created_at,
    }
