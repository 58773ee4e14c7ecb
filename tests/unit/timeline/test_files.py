"""Files that are written whole: under which names, and in the place of what."""

import os
from pathlib import Path

import pytest

from timeline.errors import TimelineError
from timeline.files import check_free, whole_file


def names_in(folder: Path) -> list[str]:
    """What lies in a folder."""
    return [path.name for path in folder.iterdir()]


@pytest.mark.parametrize("name", ["b" * 251 + ".png", "ü" * 125 + ".db", "b." + "c" * 253])
def test_a_file_has_any_name_that_the_file_system_takes(name: str, tmp_path: Path) -> None:
    path = tmp_path / name
    with whole_file(path) as temporary:
        temporary.write_text("whole")
    assert path.read_text() == "whole"
    assert names_in(tmp_path) == [name]


def test_a_name_that_is_too_long_is_refused_by_the_name_that_was_given(tmp_path: Path) -> None:
    path = tmp_path / ("b" * 252 + ".png")
    with pytest.raises(TimelineError, match=r"b\.png: cannot be written \(File name") as e:
        whole_file(path).__enter__()
    assert str(path) in str(e.value)
    assert not names_in(tmp_path)


def test_no_file_takes_the_place_of_a_pipe_or_a_device(tmp_path: Path) -> None:
    path = tmp_path / "pipe"
    os.mkfifo(path)
    with pytest.raises(TimelineError, match="pipe: is not a regular file; name another"):
        whole_file(path).__enter__()
    assert path.is_fifo()
    assert names_in(tmp_path) == ["pipe"]


def test_a_link_that_leads_nowhere_is_not_replaced_unless_told(tmp_path: Path) -> None:
    path = tmp_path / "link"
    path.symlink_to("absent")
    with pytest.raises(TimelineError, match="link: is there already"):
        check_free(path, may_replace=False)
    check_free(path, may_replace=True)
