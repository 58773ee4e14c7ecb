"""Which stills are used, and under which labels, against hand-made lists."""

from pathlib import Path
from typing import Any

import numpy as np
import pytest

from model.errors import StillsError
from model.stills.candidates import Candidate
from model.stills.choice import Choice, choose_labels, without_duplicates
from model.stills.files import StillFile

COUNTS = {"homer": 9, "bart": 7, "lisa": 7, "moe": 4, "otto": 2, "unknown": 3}
FOUND = [{label} for label, count in COUNTS.items() for _ in range(count)]


def candidate(path: str, sha256: str) -> Candidate:
    file = StillFile(Path(path), path.split("/", maxsplit=1)[0], path)
    return Candidate(file, sha256, np.zeros(4, np.uint64))


def test_further_copies_are_left_out_and_name_the_first() -> None:
    kept, left_out = without_duplicates([candidate("a/1", "x"), candidate("a/2", "x")])
    assert [item.file.name for item in kept] == ["a/1"]
    assert [(item.kind, item.reason) for item in left_out] == [
        ("duplicate", "the same file as a/1")
    ]


def test_a_file_under_two_labels_is_left_out_everywhere() -> None:
    same = [candidate("a/1", "x"), candidate("b/1", "x"), candidate("a/2", "x")]
    kept, left_out = without_duplicates([*same, candidate("b/2", "y")])
    assert [item.file.name for item in kept] == ["b/2"]
    assert {(item.kind, item.reason) for item in left_out} == {
        ("two labels", "the same file is under a and b: keep the right one")
    }
    assert len(left_out) == 3


@pytest.mark.parametrize(
    ("wish", "labels", "others"),
    [
        ({"top": 2}, ("bart", "homer", "unknown"), {"lisa": 7, "moe": 4, "otto": 2, "unknown": 3}),
        (
            {"min_images": 7},
            ("bart", "homer", "lisa", "unknown"),
            {"moe": 4, "otto": 2, "unknown": 3},
        ),
        (
            {"labels": ("moe", "lisa")},
            ("lisa", "moe", "unknown"),
            {"bart": 7, "homer": 9, "otto": 2, "unknown": 3},
        ),
        ({"min_images": 3}, ("bart", "homer", "lisa", "moe", "unknown"), {"otto": 2, "unknown": 3}),
        (
            {"labels": ("homer", "bart", "otto"), "top": 2},
            ("bart", "homer", "unknown"),
            {"lisa": 7, "moe": 4, "otto": 2, "unknown": 3},
        ),
    ],
)
def test_labels_that_are_not_chosen_become_unknown(
    wish: dict[str, Any], labels: tuple[str, ...], others: dict[str, int]
) -> None:
    chosen = choose_labels(Choice(**wish), FOUND, "stills")
    assert chosen.labels == labels
    assert chosen.others == others
    assert chosen.number_of("otto") == len(labels) - 1
    dropped = choose_labels(Choice(**wish, others="drop"), FOUND, "stills")
    assert dropped.labels == labels[:-1]
    assert dropped.number_of("otto") is None


@pytest.mark.parametrize(
    ("wish", "message"),
    [
        ({"labels": ("homer", "brat")}, "no picture of brat; there is bart"),
        ({"labels": ("homer",)}, r"1 labels with pictures \(homer\)"),
        ({"min_images": 8}, r"1 labels with pictures \(homer\)"),
        ({"min_images": 10}, "0 labels with pictures"),
        ({}, "fewer than 3 pictures of otto; add some"),
    ],
)
def test_choice_that_leaves_too_little_says_so(wish: dict[str, Any], message: str) -> None:
    with pytest.raises(StillsError, match=message):
        choose_labels(Choice(**wish), FOUND, "stills")


def test_too_few_others_to_be_unknown_say_what_to_do() -> None:
    with pytest.raises(StillsError, match=r"2 pictures of other labels.*--others drop"):
        choose_labels(Choice(min_images=3), [x for x in FOUND if x != {"unknown"}], "stills")


@pytest.mark.parametrize(
    "wish",
    [
        {"top": 1},
        {"min_images": 0},
        {"others": "burn"},
        {"labels": ("homer", "unknown")},
        {"labels": ("homer", "bart"), "without": ("bart",)},
    ],
)
def test_impossible_wish_is_refused(wish: dict[str, Any]) -> None:
    with pytest.raises(StillsError):
        Choice(**wish)
