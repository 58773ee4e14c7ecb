"""What a dataset's folder holds for people: which stills, what was left out, how they look."""

import csv
import json
from collections import Counter
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from io import StringIO
from pathlib import Path
from typing import Final

import numpy as np

from model import dataset as names
from model.contact_sheet import PER_ROW, contact_sheet
from model.dataset import Dataset
from model.dataset_plan import Plan
from model.errors import DatasetError
from model.pictures import read_picture
from model.split import PARTS

MAX_GROUPS_SHOWN: Final = 30
"""Rows of the sheet of near-duplicates: it is for a look, `stills.csv` has all."""

_COLUMNS: Final = ("part", "label", "labels", "boxes", "all_boxed", "group", "source", "sha256")
_SHA256_DIGITS: Final = 64  # of the last column: fewer show that the line was cut off


@dataclass(frozen=True)
class NearDuplicates:
    """A group of two stills or more."""

    group: int
    stills: tuple[tuple[str, str, str], ...]
    """Part, label and source of each."""


def write_pages(folder: Path, plan: Plan, png_of: Callable[[int], bytes], seed: int) -> None:
    """Write `stills.csv`, `report.json` and the two contact sheets.

    Args:
        folder: where to.
        plan: what the dataset holds.
        png_of: gives a still's picture by its index.
        seed: of the choice of stills to show.
    """
    write_text(folder / names.STILLS, _stills_csv(plan))
    write_text(folder / names.REPORT, _report(plan))
    sheets = ((names.CONTACT_SHEET, _samples(plan, seed)), (names.NEAR_DUPLICATES, _groups(plan)))
    for name, rows in sheets:
        pictures = [(title, [read_picture(png_of(index)) for index in row]) for title, row in rows]
        (folder / name).write_bytes(contact_sheet(pictures))


def write_text(path: Path, text: str) -> None:
    """Write a text in UTF-8; what is none of it, as names of files may be, as an escape."""
    path.write_bytes(text.encode("utf-8", "backslashreplace"))


def near_duplicates(dataset: Dataset) -> Iterator[NearDuplicates]:
    """Yield a dataset's groups of near-duplicates, the largest first.

    Raises:
        DatasetError: `stills.csv` is gone or damaged.
    """
    path = dataset.folder / names.STILLS
    try:
        groups = _read_groups(path, sum(map(sum, dataset.manifest.counts.values())))
    except (OSError, KeyError, TypeError, ValueError, csv.Error) as error:
        raise DatasetError(f"{path}: gone or damaged; build the dataset again") from error
    for group, stills in sorted(groups.items(), key=lambda item: (-len(item[1]), item[0])):
        if len(stills) > 1:
            yield NearDuplicates(group, tuple(stills))


def _read_groups(path: Path, stills: int) -> dict[int, list[tuple[str, str, str]]]:
    groups: dict[int, list[tuple[str, str, str]]] = {}
    with path.open(encoding="utf-8", newline="") as file:
        for row in csv.DictReader(file):
            if len(row["sha256"]) != _SHA256_DIGITS:  # None, a TypeError, in a shorter line
                raise ValueError("a line was cut off")
            groups.setdefault(int(row["group"]), []).append(
                (row["part"], row["label"], row["source"])
            )
    if sum(map(len, groups.values())) != stills:
        raise ValueError(f"not {stills} lines")
    return groups


def _stills_csv(plan: Plan) -> str:
    text = StringIO()
    writer = csv.writer(text, lineterminator="\n")
    writer.writerow(_COLUMNS)
    for part in PARTS:
        for index in plan.split.part(part).tolist():
            still, shown = plan.stills[index], plan.shown[index]
            writer.writerow(
                (
                    part,
                    plan.label_of(index),
                    " ".join(plan.labels.labels[number] for number in shown.labels),
                    len(shown.boxes),
                    int(shown.all_boxed),
                    plan.groups[index],
                    still.file.name,
                    still.sha256,
                )
            )
    return text.getvalue()


def _report(plan: Plan) -> str:
    labels = plan.labels
    report = {
        "used": len(plan.stills),
        "left_out_counts": Counter(item.kind for item in plan.left_out),
        "left_out": [
            {"path": str(item.path), "kind": item.kind, "reason": item.reason}
            for item in plan.left_out
        ],
        "wrong_box_counts": Counter(box.kind for box in plan.wrong_boxes),
        "wrong_boxes": [
            {
                "file": str(box.file),
                "where": box.where,
                "picture": box.picture,
                "label": box.label,
                "box": box.corners,
                "kind": box.kind,
                "reason": box.reason,
            }
            for box in plan.wrong_boxes
        ],
        "labels_kept_as_unknown": labels.others if labels.others_are_kept else {},
        "labels_dropped": {} if labels.others_are_kept else labels.others,
    }
    return json.dumps(report, indent=1, ensure_ascii=False) + "\n"


def _samples(plan: Plan, seed: int) -> list[tuple[str, list[int]]]:
    """Draw a row of stills of each label."""
    rng = np.random.default_rng(seed)
    rows = []
    for number, label in enumerate(plan.labels.labels):
        members = np.flatnonzero(plan.label_numbers == number)
        shown = np.sort(rng.permutation(members)[:PER_ROW])
        rows.append((f"{label}\n{len(members)} stills", shown.tolist()))
    return rows


def _groups(plan: Plan) -> list[tuple[str, list[int]]]:
    """Take a row of stills of each of the largest groups; thousands of one are not read."""
    counts = Counter(plan.groups.tolist())
    largest = [(group, size) for group, size in counts.most_common(MAX_GROUPS_SHOWN) if size > 1]
    return [
        (
            f"{plan.label_of(group)}\n{size} near-duplicates",
            np.flatnonzero(plan.groups == group)[:PER_ROW].tolist(),
        )
        for group, size in largest
    ]
