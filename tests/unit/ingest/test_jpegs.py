"""Parts of stored pictures."""

import io

import numpy as np
import pytest
from PIL import Image

from ingest.errors import FrameStoreError
from ingest.storage.jpegs import cut_jpeg, encode_jpeg

Box = tuple[float, float, float, float]


def quarters() -> bytes:
    """Red and green above blue and white, 64 x 32."""
    picture = np.zeros((32, 64, 3), np.uint8)
    picture[:16, :32, 0] = picture[:16, 32:, 1] = picture[16:, :32, 2] = 255
    picture[16:, 32:] = 255
    return encode_jpeg(picture)


@pytest.mark.parametrize(
    ("box", "size", "colour"),
    [
        ((0, 0, 0.5, 0.5), (32, 16), (255, 0, 0)),
        ((0.5, 0, 1, 0.5), (32, 16), (0, 255, 0)),
        ((0.125, 0.75, 0.25, 1), (8, 8), (0, 0, 255)),
        ((0.51, 0.51, 0.99, 0.99), (32, 16), (255, 255, 255)),  # every pixel that it touches
        ((1, 1, 1, 1), (1, 1), (255, 255, 255)),
    ],
)
def test_a_part_is_cut_out_where_it_lies(
    box: Box, size: tuple[int, int], colour: tuple[int, int, int]
) -> None:
    part = Image.open(io.BytesIO(cut_jpeg(quarters(), box)))
    assert part.size == size
    assert np.abs(np.asarray(part).astype(int) - colour).mean() < 6


def test_what_is_no_picture_is_refused() -> None:
    with pytest.raises(FrameStoreError, match="damaged"):
        cut_jpeg(b"no picture", (0, 0, 1, 1))
