"""A split that follows the task's rule and parts no group."""

import hashlib

import numpy as np
import pytest

from model.dataset.split import split_at_random, split_by_groups
from model.errors import StillsError

# Usable images, and how many train, validate and test: the ten rows of the original task's table.
TASK_TABLE = [
    (1531, 1101, 276, 154),
    (1503, 1081, 271, 151),
    (1502, 1080, 271, 151),
    (1256, 904, 226, 126),
    (1245, 896, 224, 125),
    (1241, 892, 224, 125),
    (1167, 840, 210, 117),
    (1140, 820, 206, 114),
    (1036, 745, 187, 104),
    (960, 691, 173, 96),
]


def contents(count: int) -> list[str]:
    return [hashlib.sha256(b"%d" % number).hexdigest() for number in range(count)]


@pytest.mark.parametrize("way", ["random", "grouped without near-duplicates"])
def test_split_is_the_tasks_table_to_the_last_image(way: str) -> None:
    counts = [row[0] for row in TASK_TABLE]
    label_numbers = np.repeat(np.arange(len(counts)), counts)
    if way == "random":
        split = split_at_random(label_numbers, contents(sum(counts)), seed=5)
    else:
        split = split_by_groups(
            label_numbers, contents(sum(counts)), np.arange(sum(counts)), seed=5
        )
    parts = (split.train, split.validation, split.test)
    found = [[int((label_numbers[part] == row).sum()) for part in parts] for row in range(10)]
    assert found == [list(row[1:]) for row in TASK_TABLE]
    assert sorted(np.concatenate(parts)) == list(range(sum(counts)))


def test_groups_are_never_parted_and_counts_stay_near_the_rule() -> None:
    rng = np.random.default_rng(7)
    label_numbers = rng.integers(0, 5, 1000)
    groups = rng.integers(0, 600, 1000) * 5 + label_numbers  # chance groups of one label
    split = split_by_groups(label_numbers, contents(1000), groups, seed=1)
    where = np.empty(1000, np.int64)
    for number, part in enumerate((split.train, split.validation, split.test)):
        where[part] = number
    for group in np.unique(groups):
        assert len(set(where[groups == group])) == 1
    for label in range(5):
        of_label = label_numbers == label
        share = np.bincount(where[of_label], minlength=3) / of_label.sum()
        np.testing.assert_allclose(share, [0.72, 0.18, 0.10], atol=0.015)


def test_split_is_repeated_by_its_seed_and_changed_by_another() -> None:
    label_numbers = np.repeat(np.arange(2), 50)
    for first, again, other in (
        [split_by_groups(label_numbers, contents(100), np.arange(100), seed) for seed in (3, 3, 4)],
        [split_at_random(label_numbers, contents(100), seed) for seed in (3, 3, 4)],
    ):
        np.testing.assert_array_equal(first.test, again.test)
        assert list(first.test) != list(other.test)


@pytest.mark.parametrize("way", ["random", "grouped"])
def test_stills_stay_in_their_part_when_the_set_grows(way: str) -> None:
    count, grown = 3000, 3100
    label_numbers = np.random.default_rng(3).integers(0, 5, grown)
    groups = np.arange(grown) // 4 * 5  # of four stills, most of which are under several labels

    def parts_of(stills: int) -> list[set[int]]:
        if way == "random":
            split = split_at_random(label_numbers[:stills], contents(stills), seed=0)
        else:
            split = split_by_groups(
                label_numbers[:stills], contents(stills), groups[:stills], seed=0
            )
        return [set(part.tolist()) for part in (split.train, split.validation, split.test)]

    before, after = parts_of(count), parts_of(grown)
    stayed = sum(len(old & new) for old, new in zip(before, after, strict=True))
    assert stayed / count > 0.9


def test_more_stills_of_one_label_leave_those_of_all_others_where_they_were() -> None:
    label_numbers = np.concatenate([np.arange(400) % 2, np.full(60, 2), np.full(40, 2)])
    groups = np.arange(500)
    before = split_by_groups(label_numbers[:460], contents(460), groups[:460], seed=0)
    after = split_by_groups(label_numbers, contents(500), groups, seed=0)
    for part in ("train", "validation", "test"):
        old, new = before.part(part), after.part(part)
        np.testing.assert_array_equal(old[old < 400], new[new < 400])


def test_stills_that_are_all_alike_cannot_be_split() -> None:
    halves = np.repeat(np.arange(2), 20)
    with pytest.raises(StillsError, match="40 pictures are in 2 groups"):
        split_by_groups(halves, contents(40), halves, seed=0)
