"""Reading and preprocessing real stills of odd kinds and sizes."""

import re
from fractions import Fraction
from pathlib import Path

import numpy as np
import pytest

from model.pictures.files import read_picture
from model.pictures.preprocess import TASK

pytestmark = pytest.mark.integration

_SIZE = re.compile(r"_(\d+)x(\d+)_")  # each file's name has its width and height


def test_every_original_is_read_at_its_size_and_fills_the_part_its_aspect_allows(
    shared_originals: Path,
) -> None:
    paths = sorted(shared_originals.iterdir())
    assert len(paths) == 39
    for path in paths:
        named = _SIZE.search(path.name)
        assert named is not None
        width, height = int(named[1]), int(named[2])
        picture = read_picture(path.read_bytes())
        assert picture.shape == (height, width, 3), path.name

        result = TASK.preprocess(picture)
        longest = max(width, height)  # all are larger than 64x64
        # fitted to 84, then at most 64 are seen; a pixel more or less by rounding
        expected_rows = min(Fraction(64), Fraction(height * 84, longest))
        expected_columns = min(Fraction(64), Fraction(width * 84, longest))
        rows, columns, _ = np.nonzero(result)
        assert np.ptp(rows) < expected_rows + 1, path.name
        assert np.ptp(columns) < expected_columns + 1, path.name
        assert result.std() > 10, path.name  # a picture, not a plain colour
