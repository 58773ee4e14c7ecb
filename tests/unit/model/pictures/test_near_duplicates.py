"""Stills that show nearly the same: hashes, and groups of them against plain counting."""

import io
import tracemalloc

import numpy as np
import pytest
from PIL import Image

from model.pictures.files import read_picture
from model.pictures.near_duplicates import difference_hash, group_near_duplicates, has_near_twin
from tests.stills.still_folders import blobs


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


@pytest.mark.parametrize("seed", range(3))
def test_chains_of_near_duplicates_are_the_groups_that_a_search_finds(seed: int) -> None:
    # 0 to 39 bits from any earlier one: long chains, in an order of their own, of many a block
    rng = np.random.default_rng(seed)
    bits = rng.integers(0, 2, (600, 256), np.uint8)
    for index in range(1, 600):
        if rng.random() < 0.7:
            bits[index] = bits[rng.integers(index)]
            bits[index, rng.permutation(256)[: rng.integers(40)]] ^= 1
    bits = rng.permutation(bits)

    numbers = [int.from_bytes(packed) for packed in np.packbits(bits, axis=1)]
    expected: dict[int, int] = {}
    for lowest in range(600):
        found = [] if lowest in expected else [lowest]
        while found:
            one = found.pop()
            expected[one] = lowest
            found += [
                other
                for other in range(600)
                if other not in expected and (numbers[one] ^ numbers[other]).bit_count() <= 24
            ]
    groups = group_near_duplicates(np.packbits(bits, axis=1).view(np.uint64))
    assert groups.tolist() == [expected[index] for index in range(600)]
    assert 50 < len(set(expected.values())) < 400, "the test joins nothing, or all"


def test_thousands_of_near_duplicates_take_no_memory_for_each_two() -> None:
    # 12 bits of 256 each, so that any two are within 24 bits: 4.5 million pairs
    chances = np.random.default_rng(3).random((3000, 256))
    bits = np.argsort(np.argsort(chances, axis=1), axis=1) < 12
    hashes = np.packbits(bits, axis=1).view(np.uint64)
    tracemalloc.start()
    try:
        groups = group_near_duplicates(hashes)
        _, peak_bytes = tracemalloc.get_traced_memory()
    finally:
        tracemalloc.stop()
    assert not groups.any()
    assert peak_bytes < 20_000_000


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


def test_shrunken_and_recompressed_copies_share_a_group() -> None:
    pictures = []
    for seed in range(12):
        picture = Image.fromarray(blobs(seed))
        copy = io.BytesIO()
        picture.resize((56, 42)).save(copy, "JPEG", quality=40)
        pictures += [np.asarray(picture), read_picture(copy.getvalue())]
    groups = group_near_duplicates(np.stack([difference_hash(picture) for picture in pictures]))
    assert len(np.unique(groups)) == 12
    np.testing.assert_array_equal(groups[::2], groups[1::2])
