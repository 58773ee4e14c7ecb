"""Write the readable files of a dataset's folder: table, report and contact sheets."""

import json
from collections import Counter
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Final

import numpy as np
from numpy.typing import NDArray

from model.dataset import folder as names
from model.dataset.contact_sheet import CELL, LARGE_CELL, MARGIN, contact_sheet, per_row
from model.dataset.folder import Dataset
from model.dataset.plan import Plan
from model.dataset.split import PARTS
from model.dataset.table import StillLine, read_table, table_text
from model.labels import Names
from model.pictures.box_drawing import with_boxes
from model.pictures.files import read_picture

MAX_GROUPS_SHOWN: Final = 30
"""Most rows on the sheet of near-duplicates; `stills.csv` lists all."""


@dataclass(frozen=True)
class NearDuplicates:
    """A group of two or more stills."""

    group: int
    """Number of the group."""
    stills: tuple[tuple[str, str, str], ...]
    """Part, label and source of each still."""


def write_pages(
    folder: Path, plan: Plan, png_of: Callable[[int], bytes], seed: int, names_of_labels: Names
) -> None:
    """Write `stills.csv`, `report.json` and the two contact sheets.

    Args:
        folder: The folder to write to.
        plan: The content of the dataset.
        png_of: Returns the picture of a still by its index.
        seed: Seed of the choice of stills to show.
        names_of_labels: Display names for the sheets.
    """
    write_text(folder / names.STILLS, table_text(_lines(plan)))
    write_text(folder / names.REPORT, _report(plan))
    cell = LARGE_CELL if plan.has_boxes else CELL

    def picture(index: int) -> NDArray[np.uint8]:
        still, boxes = read_picture(png_of(index)), plan.shown[index].boxes
        return with_boxes(still, boxes, cell - MARGIN, names_of_labels) if boxes else still

    sheets = (
        (names.CONTACT_SHEET, _samples(plan, per_row(cell), seed, names_of_labels)),
        (names.NEAR_DUPLICATES, _groups(plan, per_row(cell), names_of_labels)),
    )
    for name, rows in sheets:
        pictures = [(title, [picture(index) for index in row]) for title, row in rows]
        (folder / name).write_bytes(contact_sheet(pictures, cell))


def write_text(path: Path, text: str) -> None:
    """Write a text in UTF-8; escape the parts of file names that are not valid UTF-8."""
    path.write_bytes(text.encode("utf-8", "backslashreplace"))


def near_duplicates(dataset: Dataset) -> Iterator[NearDuplicates]:
    """Yield a dataset's groups of near-duplicates, the largest first.

    Raises:
        DatasetError: `stills.csv` is missing or damaged.
    """
    groups: dict[int, list[tuple[str, str, str]]] = {}
    for line in read_table(dataset):
        groups.setdefault(line.group, []).append((line.part, line.label, line.source))
    for group, stills in sorted(groups.items(), key=lambda item: (-len(item[1]), item[0])):
        if len(stills) > 1:
            yield NearDuplicates(group, tuple(stills))


def _lines(plan: Plan) -> Iterator[StillLine]:
    for part in PARTS:
        for index in plan.split.part(part).tolist():
            still, shown = plan.stills[index], plan.shown[index]
            yield StillLine(
                part,
                plan.label_of(index),
                tuple(plan.labels.labels[number] for number in shown.labels),
                len(shown.boxes),
                shown.all_boxed,
                int(plan.groups[index]),
                still.file.name,
                still.sha256,
            )


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


def _samples(
    plan: Plan, shown: int, seed: int, names_of_labels: Names
) -> list[tuple[str, list[int]]]:
    """Draw a row of stills of each label, half of them with boxes where there are any."""
    rng = np.random.default_rng(seed)
    rows = []
    for number, label in enumerate(plan.labels.labels):
        members = np.array([i for i, still in enumerate(plan.shown) if number in still.labels])
        drawn = rng.permutation(members).tolist()
        boxed = [index for index in drawn if plan.shown[index].boxes][: shown // 2]
        others = [index for index in drawn if index not in boxed][: shown - len(boxed)]
        rows.append((f"{names_of_labels[label]}\n{len(members)} stills", sorted(boxed + others)))
    return rows


def _groups(plan: Plan, shown: int, names_of_labels: Names) -> list[tuple[str, list[int]]]:
    """Return a row of stills of each of the largest groups; only the first of them are read."""
    counts = Counter(plan.groups.tolist())
    largest = [(group, size) for group, size in counts.most_common(MAX_GROUPS_SHOWN) if size > 1]
    return [
        (
            f"{names_of_labels[plan.label_of(group)]}\n{size} near-duplicates",
            np.flatnonzero(plan.groups == group)[:shown].tolist(),
        )
        for group, size in largest
    ]
