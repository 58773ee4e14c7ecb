"""No room left: a clear line, an intact database, and on from there when there is room again."""

import os
import subprocess
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.rows.found import (
    Found,
    assert_equal_rows,
    assert_nothing_is_stuck,
    found_in,
    integrity_of,
    table_counts,
)
from tests.servers.commands import BY_LOT, castline, new_home, one_line

pytestmark = [pytest.mark.integration, pytest.mark.fault]

DISK_BYTES = 4 << 20
"""Room for the small model version, the database and the frames of a short episode."""

ROOM_FOR_A_JOURNAL_BYTES = 100_000
"""Some pages of the database; fewer than a chunk's frames, which take about 200 kB."""


@pytest.fixture
def small_disk(tmp_path: Path) -> Iterator[Path]:
    """A file system of a few megabytes, in memory."""
    folder = tmp_path / "disk"
    folder.mkdir()
    mount = ["mount", "-t", "tmpfs", "-o", f"size={DISK_BYTES}", "castline-test", str(folder)]
    try:
        mounted = subprocess.run(mount, capture_output=True, text=True)
    except FileNotFoundError:
        pytest.skip("there is no mount command to make a small file system with")
    if mounted.returncode != 0:
        pytest.skip(f"a small file system cannot be mounted here: {mounted.stderr.strip()}")
    yield folder
    subprocess.run(["umount", "--lazy", str(folder)], check=True)


def fill(disk: Path, leave_bytes: int) -> Path:
    """Fill a disk up to the last bytes; removing the file that is returned makes room again."""
    filler = disk / "filler"
    free = os.statvfs(disk).f_bavail * os.statvfs(disk).f_frsize
    filler.write_bytes(b"\0" * (free - leave_bytes))
    return filler


def test_a_full_disk_stops_with_one_line_and_the_run_goes_on_when_there_is_room(
    clip: Path, undisturbed: Found, small_disk: Path
) -> None:
    home = new_home(small_disk / "home")
    assert castline(home, "enqueue", clip, *BY_LOT, chunk_seconds=8).returncode == 0
    # First the database has room for its journal, but the frames of eight seconds have none;
    # then there is no room for anything.
    fillings = {ROOM_FOR_A_JOURNAL_BYTES: "no room for more frames", 0: "disk is full"}
    for leave_bytes, cause in fillings.items():
        filler = fill(small_disk, leave_bytes)
        stopped = castline(home, "tag", clip, *BY_LOT, "--workers", "1")
        assert stopped.returncode == 1
        assert cause in one_line(stopped.stderr)
        assert "free some space" in stopped.stderr
        filler.unlink()
        assert integrity_of(home) == "ok"
        assert table_counts(home, "tag") == {"tag": 0}
    ended = castline(home, "tag", clip, *BY_LOT)
    assert ended.returncode == 0, ended.stderr
    assert_nothing_is_stuck(home)
    assert_equal_rows(found_in(home), undisturbed)


def test_no_room_for_a_new_database_is_one_line(clip: Path, small_disk: Path) -> None:
    home = new_home(small_disk / "home")
    filler = fill(small_disk, leave_bytes=8192)
    stopped = castline(home, "enqueue", clip, *BY_LOT)
    assert stopped.returncode == 1
    assert "space" in one_line(stopped.stderr)
    filler.unlink()
    assert castline(home, "enqueue", clip, *BY_LOT).returncode == 0
    assert integrity_of(home) == "ok"
