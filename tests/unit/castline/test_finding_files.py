"""What a folder is searched for: all that can be taken, and a line for the rest."""

import os
import secrets
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest

from castline.errors import RequestError
from castline.tagging.enqueue import find_episode_files

NOBODY = 65534
"""The user's number that Linux keeps for one without any rights."""

DEEP = 1200
"""Levels: more than Python lets a function call itself."""

NAME = "n" * 250
"""Nearly as long as a file system takes (255)."""


@contextmanager
def without_rights() -> Iterator[None]:
    """Lets the tests' own user, mostly root, be refused as others are."""
    was = os.geteuid()
    if was == 0:
        os.seteuid(NOBODY)
    try:
        yield
    finally:
        os.seteuid(was)


@pytest.fixture
def open_folder() -> Iterator[Path]:
    """A folder that everybody may look into, as tmp_path is not."""
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        folder.chmod(0o755)
        (folder / "a.mp4").touch()
        (folder / "z.mp4").touch()
        yield folder


@pytest.mark.parametrize("rights", [0o000, 0o444], ids=["none", "to list alone"])
def test_a_subfolder_without_rights_is_skipped_and_the_rest_taken(
    open_folder: Path, rights: int
) -> None:
    closed = open_folder / "closed"
    closed.mkdir()
    (closed / "inside.mp4").touch()
    (closed / "deeper").mkdir()
    closed.chmod(rights)
    try:
        with without_rights():
            found = find_episode_files([open_folder])
    finally:
        closed.chmod(0o755)
    assert found.paths == (open_folder / "a.mp4", open_folder / "z.mp4")
    assert found.skipped
    for line in found.skipped:
        assert line.startswith(str(closed))
        assert line.endswith(": skipped, cannot be read (Permission denied)")


def test_a_folder_of_which_nothing_can_be_read_says_why(open_folder: Path) -> None:
    closed = open_folder / "closed"
    closed.mkdir(0o000)
    try:
        with without_rights(), pytest.raises(RequestError, match="Permission denied"):
            find_episode_files([closed])
    finally:
        closed.chmod(0o755)


def make_below(folder: Path, names: list[str], file: str) -> None:
    """Make folders in each other and a file in the last, however long its path gets."""
    here = os.open(folder, os.O_RDONLY)
    for name in names:
        os.mkdir(name, dir_fd=here)
        below = os.open(name, os.O_RDONLY, dir_fd=here)
        os.close(here)
        here = below
    os.close(os.open(file, os.O_CREAT | os.O_WRONLY, dir_fd=here))
    os.close(here)


def remove_below(folder: Path) -> None:
    """Remove a folder of folders in each other, however deep: each is moved up, then removed."""
    while inner := next((path for path in folder.iterdir() if path.is_dir()), None):
        for path in inner.iterdir():
            if path.is_dir():
                path.rename(folder / secrets.token_hex(8))
            else:
                path.unlink()
        inner.rmdir()


@pytest.fixture
def deep_folder(tmp_path: Path) -> Iterator[Path]:
    (tmp_path / "z.mp4").touch()
    yield tmp_path
    remove_below(tmp_path)


def test_a_file_many_levels_deep_is_found(deep_folder: Path) -> None:
    make_below(deep_folder, ["d"] * DEEP, "a.mp4")
    found = find_episode_files([deep_folder])
    assert found.paths == (Path(deep_folder, *["d"] * DEEP, "a.mp4"), deep_folder / "z.mp4")
    assert found.skipped == ()


@pytest.mark.parametrize("levels", [15, 16, 20])
def test_what_has_too_long_a_path_is_skipped_and_the_rest_taken(
    deep_folder: Path, levels: int
) -> None:
    make_below(deep_folder, [NAME] * levels, f"{NAME}.mp4")
    length = len(str(deep_folder)) + 251 * (levels + 1)
    found = find_episode_files([deep_folder])
    if length + len(".mp4") < os.pathconf(deep_folder, "PC_PATH_MAX"):
        assert len(found.paths) == 2
    else:
        assert found.paths == (deep_folder / "z.mp4",)
        [line] = found.skipped
        assert line.endswith(": skipped, cannot be read (File name too long)")
