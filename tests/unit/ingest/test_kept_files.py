"""Eviction: what was used least lately goes first, and what is in use never."""

import os
import shutil
import time
from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from ingest.storage.kept_files import RECENT_SECONDS, KeptFile, LocalFiles, keep_below

LONG_AGO = time.time() - 10 * RECENT_SECONDS


@dataclass
class FilesInMemory:
    """A folder that is none."""

    kept: dict[str, KeptFile] = field(default_factory=dict)

    def entries(self) -> Iterator[KeptFile]:
        return iter(list(self.kept.values()))

    def mark_used(self, name: str) -> None:
        raise AssertionError("eviction uses nothing")

    def evict(self, name: str, unless_used_since: float) -> bool:
        if self.kept[name].used_at > unless_used_since:
            return False
        del self.kept[name]
        return True


FILES = st.lists(
    st.tuples(
        st.integers(1, 100),  # its size
        st.integers(0, 50),  # used so many seconds after long ago
        st.booleans(),  # in use
        st.booleans(),  # used just now, after the list was made
    ),
    max_size=12,
)


@given(FILES, st.integers(0, 400))
def test_evicted_is_the_least_lately_used_of_what_nobody_needs(
    made: list[tuple[int, int, bool, bool]], limit_bytes: int
) -> None:
    files = FilesInMemory()
    for number, (size, after, _, is_recent) in enumerate(made):
        used_at = time.time() if is_recent else LONG_AGO + after
        files.kept[str(number)] = KeptFile(str(number), size, used_at)
    before = dict(files.kept)
    in_use = {str(number) for number, (_, _, is_used, _) in enumerate(made) if is_used}

    done = keep_below(files, limit_bytes, in_use.__contains__)

    gone = before.keys() - files.kept.keys()
    left_bytes = sum(file.size_bytes for file in files.kept.values())
    free = {name for name in files.kept if name not in in_use and not made[int(name)][3]}
    assert not gone & in_use
    assert left_bytes <= limit_bytes or not free, "over the limit only where all is needed"
    assert (done.files, done.left_bytes) == (len(gone), left_bytes)
    assert done.size_bytes == sum(before[name].size_bytes for name in gone)
    for evicted in gone:
        assert all(before[evicted].used_at <= before[kept].used_at for kept in free)
        # and none goes in vain: without the last of them the folder was too large
    if gone:
        last = max((before[name] for name in gone), key=lambda file: (file.used_at, file.name))
        assert left_bytes + last.size_bytes > limit_bytes


def written(folder: Path, name: str, used_at: float) -> Path:
    path = folder / name
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_bytes(b"x" * 100)
    os.utime(path, (used_at, used_at))
    return path


def test_files_that_are_still_written_are_no_entries(tmp_path: Path) -> None:
    written(tmp_path, "ab/whole.zip", LONG_AGO)
    written(tmp_path, "ab/.whole.zip.1234.part", LONG_AGO)

    assert [file.name for file in LocalFiles(tmp_path).entries()] == ["ab/whole.zip"]


def test_marking_a_file_saves_it_before_an_older_use(tmp_path: Path) -> None:
    files = LocalFiles(tmp_path)
    for name in ("a", "b", "c"):
        written(tmp_path, name, LONG_AGO)
    modified_ns = (tmp_path / "a").stat().st_mtime_ns
    files.mark_used("a")

    keep_below(files, 200, lambda _: False)

    assert sorted(path.name for path in tmp_path.iterdir()) == ["a", "c"]
    assert (tmp_path / "a").stat().st_mtime_ns == modified_ns, "it was not written again"


def test_a_file_that_was_used_after_the_list_was_made_stays(tmp_path: Path) -> None:
    path = written(tmp_path, "a", LONG_AGO)
    files = LocalFiles(tmp_path)
    files.mark_used("a")

    assert not files.evict("a", time.time() - RECENT_SECONDS)
    assert path.read_bytes() == b"x" * 100
    assert [item.name for item in tmp_path.iterdir()] == ["a"]


def test_a_file_that_is_gone_cannot_be_used_or_evicted(tmp_path: Path) -> None:
    files = LocalFiles(tmp_path)

    assert not files.evict("a", time.time())
    with pytest.raises(FileNotFoundError):
        files.mark_used("a")


def test_folders_that_vanish_meanwhile_hold_nothing(tmp_path: Path) -> None:
    for name in ("ab", "cd", "ef"):
        written(tmp_path, f"{name}/whole.zip", LONG_AGO)
    entries = LocalFiles(tmp_path).entries()
    kept = next(entries).name

    for folder in tmp_path.iterdir():
        if not kept.startswith(folder.name):
            shutil.rmtree(folder)
    assert list(entries) == []
    assert LocalFiles(tmp_path).remove_leftovers(0) == 0


def test_what_somebody_else_removes_in_the_midst_of_its_eviction_is_gone(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    written(tmp_path, "a", LONG_AGO)
    files, rename = LocalFiles(tmp_path), Path.rename

    def rename_and_tidy(path: Path, target: Path) -> Path:
        moved = rename(path, target)
        assert files.remove_leftovers(RECENT_SECONDS) == 1
        return moved

    monkeypatch.setattr(Path, "rename", rename_and_tidy)
    assert files.evict("a", time.time())
