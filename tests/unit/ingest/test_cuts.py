"""Cuts between made pictures: what is one, what is none, and that no border of chunks matters."""

import json
from collections.abc import Iterable
from itertools import pairwise

import cv2
import numpy as np
import numpy.typing as npt
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from ingest.cuts import SIGNATURE_BYTES, Cuts, Frames, joined_cuts

Picture = npt.NDArray[np.float64]

LUMA, CHROMA = (12, 16), (6, 8)


def picture(seed: int, light: float = 1) -> Picture:
    """A picture of soft blobs in the form of a signature; every seed gives quite another one."""
    lot = np.random.default_rng(seed)
    parts = []
    for shape in (LUMA, CHROMA, CHROMA):
        coarse = lot.integers(20, 236, (3, 4)).astype(np.float64)
        parts.append(cv2.resize(coarse, shape[::-1], interpolation=cv2.INTER_LINEAR).ravel())
    return np.concatenate([parts[0] * light, *parts[1:]])


def frames(pictures: Iterable[Picture], noise: int = 1) -> Frames:
    """Frames 100 pts apart, with a little noise as films have."""
    lot = np.random.default_rng(0)
    seen = np.array(list(pictures)).reshape(-1, SIGNATURE_BYTES)
    shaken = seen + lot.integers(-noise, noise + 1, seen.shape)
    signatures = np.clip(np.rint(shaken), 0, 255).astype(np.uint8)
    return Frames(tuple(range(0, 100 * len(seen), 100)), signatures)


def cut_frames(pictures: Iterable[Picture], noise: int = 1) -> list[int]:
    """The numbers of the frames at which cuts are found."""
    return [pts // 100 for pts in Cuts.among(frames(pictures, noise)).at_ends()]


def panned(number: int, columns: int = 3) -> Picture:
    """A picture that the camera runs along, so many columns each frame."""
    wide = cv2.resize(
        np.random.default_rng(7).integers(0, 256, (3, 40)).astype(np.float64), (400, 12)
    )
    luma = wide[:, columns * number : columns * number + 16]
    return np.concatenate([luma.ravel(), luma[::2, ::2].ravel(), luma[::2, ::2].ravel()])


def with_mouth(is_open: bool) -> Picture:
    """A face whose mouth, one value in thirty of the picture, opens and shuts."""
    face = picture(1)
    luma = face[:192].reshape(LUMA)
    luma[8:10, 6:9] = 250 if is_open else 10
    return face


def test_a_cut_is_the_first_frame_of_each_shot() -> None:
    shown = [picture(shot) for shot in range(5) for _ in range(20)]

    assert cut_frames(shown) == [20, 40, 60, 80]


@pytest.mark.parametrize("frames_shown", [1, 2, 3])
def test_a_flash_is_no_cut(frames_shown: int) -> None:
    white = np.full(SIGNATURE_BYTES, 250.0)

    assert cut_frames([picture(1)] * 20 + [white] * frames_shown + [picture(1)] * 20) == []


def test_a_cut_through_a_white_frame_is_one() -> None:
    white = np.full(SIGNATURE_BYTES, 250.0)

    found = cut_frames([picture(1)] * 20 + [white] + [picture(2)] * 20)

    assert found in ([20], [21])


def test_a_fade_and_a_dissolve_are_no_cuts() -> None:
    dark = [picture(1, light=1 - k / 12) for k in range(13)]
    mixed = [picture(1) * (1 - k / 12) + picture(2) * k / 12 for k in range(13)]

    assert cut_frames([picture(1)] * 20 + dark + dark[::-1] + mixed + [picture(2)] * 20) == []


def test_a_pan_that_changes_every_frame_is_no_cut_but_one_may_follow_it() -> None:
    pan = [panned(number) for number in range(30)]

    assert cut_frames([*pan, *[picture(3)] * 20]) in ([], [30])
    assert cut_frames(pan) == []


@pytest.mark.parametrize("held", [1, 2, 3, 4])
def test_a_mouth_that_moves_is_no_cut_however_long_its_drawings_are_held(held: int) -> None:
    assert cut_frames([with_mouth(number // held % 2 == 0) for number in range(60)]) == []


@pytest.mark.parametrize("held", [2, 3, 4])
def test_large_drawings_that_are_held_are_no_cuts(held: int) -> None:
    running = [panned(number // held) for number in range(120)]

    # at the very ends too few of them are seen to know
    assert [number for number in cut_frames(running) if 8 < number < 112] == []


@pytest.mark.parametrize("held", [1, 2])
def test_a_cut_between_pictures_that_move_much_is_found(held: int) -> None:
    # as where one figure runs and the next one falls
    running = [panned(number // held, columns=1) for number in range(40)]
    falling = [255 - panned(number // held, columns=1) for number in range(40, 80)]

    assert cut_frames([*running, *falling]) == [40]


def test_a_cut_in_the_dark_is_found() -> None:
    shown = [picture(1, light=0.5)] * 20 + [picture(2, light=0.5)] * 20

    assert cut_frames(shown) == [20]


def test_cuts_near_the_ends_are_found() -> None:
    assert cut_frames([picture(1)] * 2 + [picture(2)] * 40 + [picture(3)] * 2) == [2, 42]
    assert cut_frames([picture(1)] * 2 + [picture(2)] * 3) == [2]
    assert cut_frames([picture(1)]) == cut_frames([]) == []


@settings(deadline=None)  # on a busy machine
@given(
    st.lists(st.tuples(st.integers(0, 6), st.integers(1, 40)), min_size=1, max_size=8),
    st.lists(st.integers(1, 320), max_size=12),
)
def test_cuts_are_the_same_wherever_the_frames_are_cut_into_chunks(
    shots: list[tuple[int, int]], borders: list[int]
) -> None:
    whole = frames((picture(seed) for seed, count in shots for _ in range(count)), noise=3)
    places = [0, *sorted({place for place in borders if place < len(whole)}), len(whole)]
    chunks = [Cuts.among(whole[start:end]) for start, end in pairwise(places)]

    told = [Cuts.from_json(chunk.to_json()) for chunk in chunks]

    assert joined_cuts(told) == Cuts.among(whole).at_ends()


def test_a_cut_at_the_border_of_two_chunks_is_found() -> None:
    first, second = frames([picture(1)] * 50), frames([picture(2)] * 50)
    later = Frames(tuple(pts + 5000 for pts in second.pts), second.signatures)

    assert joined_cuts([Cuts.among(first), Cuts.among(later)]) == (5000,)
    assert Cuts.among(first).at_ends() == Cuts.among(later).at_ends() == ()


def test_what_a_chunk_says_stays_small_however_long_it_is() -> None:
    still = Cuts.among(frames([picture(number // 30) for number in range(3000)], noise=2))

    assert len(still.to_json()) < 10_000


@pytest.mark.parametrize(
    "spoilt",
    [
        "[]",
        "{}",
        json.dumps({"pts": [1], "head": {"pts": [0], "signatures": ""}, "tail": None}),
        json.dumps({"pts": [], "head": {"pts": [0], "signatures": "!"}, "tail": {}}),
    ],
)
def test_what_no_chunk_says_is_refused(spoilt: str) -> None:
    with pytest.raises(ValueError, match="not the cuts of a chunk"):
        Cuts.from_json(spoilt)


def test_signatures_that_unpack_to_far_more_than_is_said_are_refused() -> None:
    import base64
    import zlib

    bomb = base64.b64encode(zlib.compress(bytes(100 << 20))).decode()
    end = {"pts": [0], "signatures": bomb}

    with pytest.raises(ValueError, match="not the cuts of a chunk"):
        Cuts.from_json(json.dumps({"pts": [], "head": end, "tail": end}))
