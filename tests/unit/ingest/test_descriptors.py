"""Descriptions of pictures: alike for copies, unlike for others, none for plain ones."""

import cv2
import numpy as np
import numpy.typing as npt
import pytest

from ingest.descriptors import describe_pictures
from ingest.storage.jpegs import decode_thumbnail, encode_jpeg

Picture = npt.NDArray[np.uint8]


def drawing(seed: int, size: tuple[int, int] = (256, 144)) -> Picture:
    """Blocks of colour."""
    blocks = np.random.default_rng(seed).integers(0, 256, (6, 8, 3), dtype=np.uint8)
    return np.asarray(cv2.resize(blocks, size, interpolation=cv2.INTER_NEAREST), np.uint8)


def likeness(one: Picture, other: Picture) -> float:
    described = describe_pictures([one, other])
    return float(described.vectors[0] @ described.vectors[1])


def stored(picture: Picture) -> Picture:
    thumbnail = decode_thumbnail(encode_jpeg(picture))
    assert thumbnail is not None
    return thumbnail


def brighter(picture: Picture) -> Picture:
    return np.asarray(np.clip(picture * 0.8 + 30, 0, 255), np.uint8)


def with_logo(picture: Picture) -> Picture:
    changed = picture.copy()
    changed[8:20, 220:246] = 255
    return changed


@pytest.mark.parametrize("change", [stored, brighter, with_logo])
def test_a_copy_is_alike(change: object) -> None:
    assert callable(change)
    assert likeness(drawing(1), change(drawing(1))) > 0.9


def test_a_copy_of_another_size_is_alike() -> None:
    assert likeness(stored(drawing(1)), stored(drawing(1, (192, 144)))) > 0.9


def test_other_pictures_are_not_alike() -> None:
    assert max(likeness(drawing(1), drawing(seed)) for seed in range(2, 12)) < 0.55


def test_each_description_has_length_one() -> None:
    vectors = describe_pictures([drawing(seed) for seed in range(5)]).vectors
    assert np.linalg.norm(vectors, axis=1) == pytest.approx(1, abs=1e-5)


def title(ground: int) -> Picture:
    picture = np.full((144, 256, 3), ground, np.uint8)
    for row in (50, 80, 110):
        cv2.putText(picture, "written by", (60, row), cv2.FONT_HERSHEY_SIMPLEX, 0.8, (255,) * 3, 2)
    return picture


@pytest.mark.parametrize("picture", [np.zeros((144, 256, 3), np.uint8), title(0), title(90)])
def test_black_and_titles_on_an_even_ground_say_nothing(picture: Picture) -> None:
    described = describe_pictures([stored(picture)])
    assert not described.vectors.any()
    assert described.is_plain.all()


def test_no_pictures_have_no_descriptions() -> None:
    assert describe_pictures([]).vectors.shape == (0, 288)


def test_a_thumbnail_is_an_eighth_of_each_side() -> None:
    assert stored(drawing(1)).shape == (18, 32, 3)
    assert decode_thumbnail(b"no picture") is None
