"""Folders of stills: what is read, what is left out, and a split that does not leak."""

from pathlib import Path

import numpy as np
import pytest
from PIL import Image

from model.errors import StillsError
from model.near_duplicates import difference_hash, group_near_duplicates, has_near_twin
from model.pictures import read_picture
from model.split import split_at_random, split_by_groups
from model.stills import read_stills
from tests.still_folders import blobs

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


@pytest.mark.parametrize("way", ["random", "grouped without near-duplicates"])
def test_split_is_the_tasks_table_to_the_last_image(way: str) -> None:
    counts = [row[0] for row in TASK_TABLE]
    label_numbers = np.repeat(np.arange(len(counts)), counts)
    if way == "random":
        split = split_at_random(label_numbers, seed=5)
    else:
        split = split_by_groups(label_numbers, np.arange(sum(counts)), seed=5)
    parts = (split.train, split.validation, split.test)
    found = [[int((label_numbers[part] == row).sum()) for part in parts] for row in range(10)]
    assert found == [list(row[1:]) for row in TASK_TABLE]
    assert sorted(np.concatenate(parts)) == list(range(sum(counts)))


def test_groups_are_never_parted_and_counts_stay_near_the_rule() -> None:
    rng = np.random.default_rng(7)
    label_numbers = rng.integers(0, 5, 1000)
    groups = rng.integers(0, 600, 1000) * 5 + label_numbers  # chance groups of one label
    split = split_by_groups(label_numbers, groups, seed=1)
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
        [split_by_groups(label_numbers, np.arange(100), seed) for seed in (3, 3, 4)],
        [split_at_random(label_numbers, seed) for seed in (3, 3, 4)],
    ):
        np.testing.assert_array_equal(first.test, again.test)
        assert list(first.test) != list(other.test)


def test_stills_that_are_all_alike_cannot_be_split() -> None:
    halves = np.repeat(np.arange(2), 20)
    with pytest.raises(StillsError, match="40 pictures are in 2 groups"):
        split_by_groups(halves, halves, seed=0)


def test_hash_bit_says_that_the_right_neighbour_is_brighter() -> None:
    steps = np.arange(0, 255, 15, dtype=np.uint8)
    rising = np.broadcast_to(steps[None, :, None], (16, 17, 3))
    assert sum(int(word).bit_count() for word in difference_hash(rising)) == 256
    assert not difference_hash(np.ascontiguousarray(rising[:, ::-1])).any()


def test_groups_agree_with_plain_counting_of_bits() -> None:
    rng = np.random.default_rng(0)
    hashes = rng.integers(0, 2**64, (300, 4), np.uint64)
    hashes[10] = hashes[290] ^ np.uint64(0xFFFFFF)  # 4 x 24 bits apart: no near-duplicates
    hashes[20] = hashes[280]
    hashes[20, 0] ^= np.uint64(0xFFFFFF)  # 24 bits: just near
    hashes[30] = hashes[270]
    hashes[30, 3] ^= np.uint64(0x1FFFFFF)  # 25 bits: just not
    hashes[40] = hashes[20]
    hashes[40, 1] ^= np.uint64(0xFFFFFF)  # near 20, and by it in one group with 280
    groups = group_near_duplicates(hashes)
    assert groups[20] == groups[40] == groups[280] == 20
    alone = [index for index in range(300) if index not in (20, 40, 280)]
    assert [int(groups[index]) for index in alone] == alone


def test_a_twin_is_at_most_24_bits_away() -> None:
    hashes = np.random.default_rng(1).integers(0, 2**64, (300, 4), np.uint64)
    others = np.random.default_rng(2).integers(0, 2**64, (40, 4), np.uint64)
    others[7] = hashes[280]
    others[7, 2] ^= np.uint64(0xFFFFFF)  # 24 bits
    others[9] = hashes[290]
    others[9, 1] ^= np.uint64(0x1FFFFFF)  # 25 bits
    assert np.flatnonzero(has_near_twin(hashes, others)).tolist() == [280]


def test_equal_hashes_are_one_group_without_a_pair_for_each_two() -> None:
    hashes = np.zeros((6000, 4), np.uint64)  # 18 million pairs
    hashes[1] = np.uint64(0x5555_5555_5555_5555)
    groups = group_near_duplicates(hashes)
    assert groups[1] == 1
    assert set(np.delete(groups, 1)) == {0}


def test_shrunken_and_recompressed_copies_share_a_group(tmp_path: Path) -> None:
    for label, first_seed in (("apple", 0), ("pear", 100)):
        (tmp_path / label).mkdir()
        for number in range(6):
            picture = Image.fromarray(blobs(first_seed + number))
            picture.save(tmp_path / label / f"pic_{number:04}.png")
            copy = picture.resize((56, 42))
            copy.save(tmp_path / label / f"pic_{number:04}_copy.jpg", quality=40)
    stills = read_stills(tmp_path).stills
    assert len(stills) == 24
    assert len(np.unique(stills.groups)) == 12
    assert all(stills.groups[::2] == stills.groups[1::2])  # files sort in pairs


def test_content_decides_what_a_file_is_and_the_rest_is_listed(tmp_path: Path) -> None:
    for label, first_seed in (("apple", 0), ("pear", 100)):
        (tmp_path / label).mkdir()
        for number in range(3):
            picture = Image.fromarray(blobs(first_seed + number))
            picture.save(tmp_path / label / f"{number}.png")
    (tmp_path / "apple/0.png").rename(tmp_path / "apple/really_png.JPG")
    (tmp_path / "apple/notes.jpg").write_text("not a picture")
    truncated = (tmp_path / "pear/1.png").read_bytes()[:300]
    (tmp_path / "pear/half.png").write_bytes(truncated)
    (tmp_path / "apple/.hidden").write_text("passed over")
    read = read_stills(tmp_path)
    assert len(read.stills) == 6
    found = [(item.path.name, item.kind) for item in read.left_out]
    assert found == [("notes.jpg", "unreadable"), ("half.png", "unreadable")]


def test_fingerprint_follows_content_and_label_but_not_names(tmp_path: Path) -> None:
    def folder(name: str, seeds: list[int], file: str) -> Path:
        for label, first in (("apple", 0), ("pear", 50)):
            (tmp_path / name / label).mkdir(parents=True)
            for number, seed in enumerate(seeds):
                path = tmp_path / name / label / file.format(number)
                Image.fromarray(blobs(first + seed)).save(path)
        return tmp_path / name

    first = read_stills(folder("a", [1, 2, 3], "{}.png")).sha256
    renamed = read_stills(folder("b", [3, 2, 1], "pic_{}.png")).sha256
    changed = read_stills(folder("c", [1, 2, 4], "{}.png")).sha256
    assert first == renamed != changed


@pytest.mark.parametrize(
    ("counts", "message"),
    [({}, "0 labels"), ({"apple": 5}, "1 labels"), ({"apple": 3, "pear": 2}, "fewer than 3.*pear")],
)
def test_folder_that_cannot_be_trained_from_is_refused(
    tmp_path: Path, counts: dict[str, int], message: str
) -> None:
    for label, count in counts.items():
        (tmp_path / label).mkdir()
        for number in range(count):
            Image.fromarray(blobs(len(label) * 100 + number)).save(
                tmp_path / label / f"{number}.png"
            )
    with pytest.raises(StillsError, match=message):
        read_stills(tmp_path)
    with pytest.raises(StillsError, match="no such folder"):
        read_stills(tmp_path / "absent")


def encoded(picture: Image.Image, kind: str, **options: object) -> bytes:
    from io import BytesIO

    buffer = BytesIO()
    picture.save(buffer, kind, **options)
    return buffer.getvalue()


RED, HALF_RED = (200, 0, 0), (100, 0, 0)


@pytest.mark.parametrize(
    ("content", "expected"),
    [
        (encoded(Image.new("RGB", (4, 2), RED), "PNG"), RED),
        (encoded(Image.new("RGB", (4, 2), RED), "BMP"), RED),
        (encoded(Image.new("RGB", (4, 2), RED).quantize(4), "GIF"), RED),
        (encoded(Image.new("RGB", (4, 2), RED), "WEBP", lossless=True), RED),
        (encoded(Image.new("RGBA", (4, 2), (*RED, 255)), "PNG"), RED),
        (encoded(Image.new("RGBA", (4, 2), (*RED, 0)), "PNG"), (0, 0, 0)),
        (encoded(Image.new("RGBA", (4, 2), (*RED, 128)), "PNG"), HALF_RED),
        (encoded(Image.new("L", (4, 2), 70), "PNG"), (70, 70, 70)),
        (encoded(Image.new("LA", (4, 2), (70, 255)), "PNG"), (70, 70, 70)),
        (encoded(Image.new("1", (4, 2), 1), "PNG"), (255, 255, 255)),
        (encoded(Image.new("I;16", (4, 2), 70 * 256), "PNG"), (70, 70, 70)),
        (encoded(Image.new("CMYK", (4, 2), (0, 255, 255, 55)), "JPEG", quality=100), RED),
    ],
)
def test_every_kind_of_picture_becomes_rgb(content: bytes, expected: tuple[int, int, int]) -> None:
    picture = read_picture(content)
    assert picture.shape == (2, 4, 3)
    assert picture.dtype == np.uint8
    np.testing.assert_allclose(picture.reshape(-1, 3), [expected] * 8, atol=2)


def test_picture_is_turned_upright_as_its_exif_says() -> None:
    wide = Image.new("RGB", (40, 20), (0, 0, 0))
    wide.paste((255, 255, 255), (0, 0, 20, 20))  # the left half is white
    exif = Image.Exif()
    exif[0x0112] = 6  # the camera was turned: rotate by 90 degrees clockwise to show
    picture = read_picture(encoded(wide, "JPEG", exif=exif.tobytes()))
    assert picture.shape == (40, 20, 3)
    assert picture[:18].mean() > 250 > 5 > picture[22:].mean()  # what was left is now on top


def test_picture_bomb_is_refused_before_it_is_decoded() -> None:
    bomb = encoded(Image.new("1", (20_000, 20_000)), "PNG")
    assert len(bomb) < 100_000
    with pytest.raises(StillsError, match=r"20000x20000|damaged"):
        read_picture(bomb)
