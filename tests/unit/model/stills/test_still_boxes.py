"""Which boxes are used, under which labels, and what becomes of equal files."""

from pathlib import Path

import numpy as np
import pytest

from model.errors import BoxError
from model.pictures.boxes import Box, DrawnBox, main_label
from model.stills.boxes import without_tiny_boxes
from model.stills.candidates import Candidate
from model.stills.choice import (
    Choice,
    choose_labels,
    leave_labels_out,
    without_duplicates,
)
from model.stills.files import FoundStills, StillFile

NED = Box("ned", 0.0, 0.0, 0.5, 0.5)
BART = Box("bart", 0.5, 0.0, 1.0, 1.0)
STRANGER = Box("unknown", 0.0, 0.0, 1.0, 1.0)
DOT = Box("bart", 0.5, 0.5, 0.55, 0.55)


def still(name: str, *boxes: Box, folder: str = "") -> StillFile:
    """A still of a label's folder, or one that boxes alone know."""
    drawn = tuple(DrawnBox(box, Path("boxes.csv"), "line 2", name) for box in boxes)
    label = folder or main_label(boxes)
    in_folder = bool(folder)
    return StillFile(Path(name), label, name, drawn, in_folder, all_boxed=not in_folder)


def read(file: StillFile, sha256: str = "", size: tuple[int, int] = (100, 100)) -> Candidate:
    return Candidate(file, sha256 or file.name, np.zeros(4, np.uint64), size)


@pytest.mark.parametrize(
    "corners",
    [
        (0.5, 0, 0.5, 1),
        (0.6, 0, 0.5, 1),
        (0, 0.5, 1, 0.4),
        (-0.1, 0, 1, 1),
        (0, 0, 1, 1.01),
        (float("nan"), 0, 1, 1),
    ],
)
def test_box_that_is_none_is_refused(corners: tuple[float, float, float, float]) -> None:
    with pytest.raises(BoxError):
        Box("ned", *corners)


def test_box_without_a_label_is_refused() -> None:
    with pytest.raises(BoxError, match="no label"):
        Box("", 0, 0, 1, 1)


def test_box_too_small_to_know_anybody_is_listed_and_somebody_is_unboxed_then() -> None:
    # 5 % of 100 px are 5, of 176 px 8.8
    whole, both, bare, large, in_folder = (
        read(still("a", NED)),
        read(still("b", NED, DOT)),
        read(still("c", DOT)),
        read(still("d", DOT), size=(176, 176)),
        read(still("e", DOT, folder="ned")),
    )
    kept, left_out, wrong = without_tiny_boxes([whole, both, bare, large, in_folder])
    assert [(item.file.name, len(item.file.boxes), item.file.all_boxed) for item in kept] == [
        ("a", 1, True),
        ("b", 1, False),
        ("d", 1, True),
        ("e", 0, False),
    ]
    assert [(item.path.name, item.kind) for item in left_out] == [("c", "no box")]
    assert [(box.picture, box.kind, box.label) for box in wrong] == [
        (name, "too small", "bart") for name in "bce"
    ]
    assert wrong[0].reason == "no larger than 5.0 x 5.0 pixels, of 8 at least"


def test_equal_files_are_one_still_with_the_boxes_of_all() -> None:
    kept, left_out = without_duplicates(
        [
            read(still("bart/1", folder="bart"), "same"),
            read(still("copy", NED, BART), "same"),
            read(still("other", NED), "boxes alone"),
            read(still("again", NED, BART), "boxes alone"),
        ]
    )
    first, second = kept
    assert (first.file.name, first.file.label, len(first.file.boxes)) == ("bart/1", "bart", 2)
    assert not first.file.all_boxed  # its folder has it as a still, in which others may be
    assert [drawn.box for drawn in second.file.boxes] == [NED, BART]
    assert (second.file.label, second.file.all_boxed) == ("bart", True)
    assert [item.kind for item in left_out] == ["duplicate", "duplicate"]


def test_labels_count_wherever_they_are_shown() -> None:
    found = [still("a", NED, BART), still("b", BART), still("c", folder="ned")]
    chosen = choose_labels(Choice(), [file.labels for file in found * 3], "stills")
    assert chosen.labels == ("bart", "ned")
    assert chosen.others == {}
    assert choose_labels(Choice(top=2), [file.labels for file in found * 3], "x") == chosen


@pytest.mark.parametrize(
    ("others", "file", "expected"),
    [
        # labels are bart (0), lisa (1) and, where others are kept, unknown (2)
        ("keep", still("a", NED, BART), (0, (0, 2), ["unknown", "bart"], True)),
        ("drop", still("a", NED, BART), (0, (0,), ["bart"], True)),
        ("keep", still("a", NED), (2, (2,), ["unknown"], True)),
        ("drop", still("a", NED), None),
        ("keep", still("a", BART, folder="ned"), (0, (0, 2), ["bart"], False)),
        ("drop", still("a", BART, folder="ned"), (0, (0,), ["bart"], False)),
        ("keep", still("a", NED, folder="ned"), (2, (2,), ["unknown"], False)),
        ("drop", still("a", NED, folder="ned"), None),
        ("keep", still("a", STRANGER, BART), (0, (0, 2), ["unknown", "bart"], True)),
        ("keep", still("a", STRANGER), (2, (2,), ["unknown"], True)),
        ("keep", still("a", BART, folder="lisa"), (1, (0, 1), ["bart"], False)),
    ],
)
def test_boxes_of_labels_that_are_not_chosen_are_strangers_or_go(
    others: str,
    file: StillFile,
    expected: tuple[int, tuple[int, ...], list[str], bool] | None,
) -> None:
    shown = [{"bart"}, {"lisa"}, {"ned"}, {"unknown"}]
    choice = Choice(labels=("bart", "lisa"), others=others)
    chosen = choose_labels(choice, shown * 3, "stills")
    used = chosen.used(file)
    found = used and (
        used.label_number,
        used.labels,
        [box.label for box in used.boxes],
        used.all_boxed,
    )
    assert found == expected
    if used:
        assert [chosen.labels[number] for number in used.box_numbers] == [
            box.label for box in used.boxes
        ]


def test_stills_that_show_a_label_that_is_wished_away_are_left_out_whole() -> None:
    files = (still("a", NED, BART), still("b", BART), still("c", folder="ned"))
    kept = leave_labels_out(Choice(without=("ned",)), FoundStills(files, ()), "stills")
    assert [file.name for file in kept.files] == ["b"]
    assert [(item.path.name, item.kind) for item in kept.left_out] == [
        ("a", "wished away"),
        ("c", "wished away"),
    ]
