"""Stills unpacked to a file: any of them at any time, and none of them in memory."""

import errno
import io
import os
import tracemalloc
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from numpy.typing import NDArray

from model.dataset.stills import Stills
from model.errors import DatasetError, ModelError
from model.pictures.preprocess import FINE, TASK, Preprocessing

SIZES = [(132, 176), (20, 176), (50, 61), (96, 96), (300, 1), (1, 1)]


def noise(seed: int, height: int, width: int) -> NDArray[np.uint8]:
    return np.random.default_rng(seed).integers(0, 256, (height, width, 3), np.uint8)


@pytest.mark.parametrize("rule", [TASK, FINE])
def test_every_still_comes_back_as_it_is_on_the_canvas(rule: Preprocessing) -> None:
    pictures = [noise(number, *size) for number, size in enumerate(SIZES)]
    given = zip(pictures, [0, 1, 0, 1, 1, 0], strict=True)
    stills = Stills.from_pictures(("apple", "birch"), given, rule)
    assert len(stills) == 6
    assert stills.label_numbers.tolist() == [0, 1, 0, 1, 1, 0]
    for index in (5, 0, 3, 3, 1, 4, 2):  # in any order, as often as one likes
        fitted = rule.fit(pictures[index])
        np.testing.assert_array_equal(stills.picture(index), fitted)
        assert tuple(stills.sizes[index]) == fitted.shape[:2]
    seen = stills.inputs([4, 0])
    np.testing.assert_array_equal(seen, [rule.preprocess(pictures[index]) for index in (4, 0)])


def test_stills_take_no_memory_and_their_file_has_no_name() -> None:
    def drawn() -> Iterator[tuple[NDArray[np.uint8], int]]:
        picture = noise(0, 112, 112)
        for number in range(1000):
            yield picture, number % 2

    tracemalloc.start()
    try:
        stills = Stills.from_pictures(("apple", "birch"), drawn(), FINE)
        _, peak_bytes = tracemalloc.get_traced_memory()
    finally:
        tracemalloc.stop()
    held_bytes = 1000 * 112 * 112 * 3
    assert peak_bytes < held_bytes / 20
    status = os.fstat(stills._file.fileno())
    assert status.st_size == held_bytes
    assert status.st_nlink == 0  # gone with the process, killed or not


def test_no_stills_are_no_error() -> None:
    stills = Stills.from_pictures(("apple", "birch"), [], TASK)
    assert len(stills) == 0
    assert stills.inputs([]).shape == (0, 64, 64, 3)


def test_what_is_no_picture_is_refused() -> None:
    with pytest.raises(ModelError, match="RGB as uint8"):
        Stills.from_pictures(("apple", "birch"), [(np.zeros((4, 4), np.uint8), 0)], TASK)


class FullFile(io.BytesIO):
    """Stands for a file on a full disk, which shows when it is written or only when flushed."""

    def __init__(self, full_at: str) -> None:
        super().__init__()
        self._full_at = full_at

    def write(self, content: Any) -> int:
        if self._full_at == "write":
            raise OSError(errno.ENOSPC, "No space left on device")
        return super().write(content)

    def flush(self) -> None:
        if self._full_at == "flush":
            raise OSError(errno.ENOSPC, "No space left on device")


@pytest.mark.parametrize("full_at", ["write", "flush"])
def test_full_disk_is_one_line_that_names_the_folder_and_the_remedy(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path, full_at: str
) -> None:
    monkeypatch.setattr("tempfile.tempdir", str(tmp_path))
    monkeypatch.setattr("tempfile.TemporaryFile", lambda: FullFile(full_at))
    with pytest.raises(DatasetError, match="No space left on device") as caught:
        Stills.from_pictures(("apple", "birch"), [(noise(0, 50, 50), 0)], TASK)
    assert str(caught.value).startswith(f"{tmp_path}: ")
    assert "TMPDIR" in str(caught.value)
    assert "\n" not in str(caught.value)


def test_machine_without_any_temporary_folder_is_one_line(monkeypatch: pytest.MonkeyPatch) -> None:
    def refuse() -> None:
        raise FileNotFoundError(errno.ENOENT, "No usable temporary directory found")

    monkeypatch.setattr("tempfile.tempdir", None)
    monkeypatch.setattr("tempfile.TemporaryFile", refuse)
    with pytest.raises(DatasetError, match=r"No usable temporary directory found.*TMPDIR"):
        Stills.from_pictures(("apple", "birch"), [], TASK)
