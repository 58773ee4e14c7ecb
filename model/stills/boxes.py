"""Filter the boxes of stills, and merge those of identical files."""

import math
from collections.abc import Sequence
from dataclasses import dataclass, replace
from typing import Final

from model.pictures.boxes import Box, DrawnBox, WrongBox, main_label
from model.stills.candidates import Candidate
from model.stills.files import LeftOut, StillFile

SMALLEST_PIXELS: Final = 8
"""Least size of a box in the stored picture, as the side of a square of the same area: a head with
fewer pixels cannot be recognised, and such a box is a slip of the hand, or uses other units."""


@dataclass(frozen=True)
class Labelled:
    """The labels and boxes of a still, by a dataset's label numbers."""

    label_number: int
    """The main label."""
    labels: tuple[int, ...]
    """All labels, ascending."""
    boxes: tuple[Box, ...] = ()
    """Bounding boxes; those of other labels are `unknown`."""
    box_numbers: tuple[int, ...] = ()
    """The label of each box."""
    all_boxed: bool = False
    """Whether everybody with one of these labels in it has a box."""


def without_boxes(file: StillFile, lost: Sequence[DrawnBox]) -> StillFile | None:
    """Return a still without some of its boxes; None if nothing else labels it.

    Somebody in it then has no box, so it is no longer completely annotated.
    """
    kept = tuple(drawn for drawn in file.boxes if drawn not in lost)
    if not file.is_in_label_folder and not kept:
        return None
    label = file.label if file.is_in_label_folder else main_label([drawn.box for drawn in kept])
    return replace(file, label=label, boxes=kept, all_boxed=False)


def without_tiny_boxes(
    candidates: Sequence[Candidate],
) -> tuple[list[Candidate], list[LeftOut], list[WrongBox]]:
    """Leave out boxes that are too small for recognition, and stills that have no others."""
    kept: list[Candidate] = []
    left_out: list[LeftOut] = []
    wrong: list[WrongBox] = []
    for candidate in candidates:
        tiny = {
            drawn: pixels
            for drawn in candidate.file.boxes
            if (pixels := _side(drawn.box, candidate.size)) < SMALLEST_PIXELS
        }
        if not tiny:
            kept.append(candidate)
            continue
        wrong += [_too_small(drawn, pixels) for drawn, pixels in tiny.items()]
        file = without_boxes(candidate.file, tuple(tiny))
        if file is None:
            reason = "none of its boxes can be used"
            left_out.append(LeftOut(candidate.file.path, "no box", reason))
        else:
            kept.append(replace(candidate, file=file))
    return kept, left_out, wrong


def joined_boxes(files: Sequence[StillFile]) -> StillFile:
    """Return the first of several identical files, with the boxes of all.

    If they lie in folders of labels, these have the same label.
    """
    in_folders = [file for file in files if file.is_in_label_folder]
    boxes = {drawn.box: drawn for file in reversed(files) for drawn in reversed(file.boxes)}
    drawn = tuple(reversed(boxes.values()))
    return replace(
        files[0],
        label=in_folders[0].label if in_folders else main_label(list(boxes)),
        boxes=drawn,
        is_in_label_folder=bool(in_folders),
        all_boxed=all(file.all_boxed for file in files),
    )


def _side(box: Box, size: tuple[int, int]) -> float:
    height, width = size
    return math.sqrt(box.area * width * height)


def _too_small(drawn: DrawnBox, pixels: float) -> WrongBox:
    return WrongBox(
        drawn.file,
        drawn.where,
        drawn.picture,
        "too small",
        f"no larger than {pixels:.1f} x {pixels:.1f} pixels, of {SMALLEST_PIXELS} at least",
        drawn.box.label,
        drawn.box.corners,
    )
