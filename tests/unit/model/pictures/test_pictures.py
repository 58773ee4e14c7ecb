"""Files of pictures of every kind become RGB, upright, and no bomb is decoded."""

from io import BytesIO

import numpy as np
import pytest
from PIL import Image, ImageOps

from model.errors import StillsError
from model.pictures.files import read_picture


def encoded(picture: Image.Image, kind: str, **options: object) -> bytes:
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


@pytest.mark.parametrize("orientation", range(1, 9))
def test_each_orientation_is_turned_as_pillow_turns_it(orientation: int) -> None:
    drawn = np.random.default_rng(0).integers(0, 256, (3, 5, 3), np.uint8)
    exif = Image.Exif()
    exif[0x0112] = orientation
    content = encoded(Image.fromarray(drawn), "PNG", exif=exif)
    with Image.open(BytesIO(content)) as picture:
        expected = np.asarray(ImageOps.exif_transpose(picture))
    np.testing.assert_array_equal(read_picture(content), expected)


@pytest.mark.filterwarnings("ignore::UserWarning")  # Pillow's, of EXIF
def test_damaged_exif_is_never_more_than_a_damaged_picture() -> None:
    exif = Image.Exif()
    exif[0x0112] = 6
    exif[0x010E] = "a description"
    exif[0x011A] = 1.5
    sound = encoded(Image.new("RGB", (8, 4)), "JPEG", exif=exif)
    first = sound.index(b"Exif") + 6
    rng = np.random.default_rng(0)
    read = 0
    for _ in range(500):
        content = bytearray(sound)
        for place in rng.integers(first, first + 80, 3):
            content[place] = rng.integers(256)
        try:
            read += bool(read_picture(bytes(content)).size)
        except StillsError:
            continue
    assert read > 250


def test_picture_bomb_is_refused_before_it_is_decoded() -> None:
    bomb = encoded(Image.new("1", (20_000, 20_000)), "PNG")
    assert len(bomb) < 100_000
    with pytest.raises(StillsError, match=r"20000x20000|damaged"):
        read_picture(bomb)
