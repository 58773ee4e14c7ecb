"""Ctrl-C and SIGTERM in the middle of a chunk: out soon, with one line, and nothing counted."""

import signal
import sqlite3
import time
from pathlib import Path

import pytest

from tests.rows.found import Found, assert_equal_rows, assert_nothing_is_stuck, found_in, rows_of
from tests.servers.commands import BY_LOT, castline, end_of, new_home, one_line, start_castline
from tests.servers.processes import still_running, tree_of
from tests.video.decoders import environment
from tests.video.witness import packets_of
from tests.waiting import assert_in_time, wait_until

pytestmark = [pytest.mark.integration, pytest.mark.fault]

SOON_SECONDS = 15.0
"""The design grants 65; a step is over in one or two, on a busy machine in a few more."""


@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGTERM], ids=lambda item: item.name)
def test_a_stop_in_mid_chunk_offers_it_again_at_once(
    number: signal.Signals, clip: Path, tmp_path: Path
) -> None:
    home = new_home(tmp_path / "home")
    # The gate never comes: the chunk would go on without an end.
    endless = environment(f"wait:0:{tmp_path / 'gate'}")
    process = start_castline(home, "tag", clip, *BY_LOT, "--workers", "1", environment=endless)
    wait_until(lambda: _is_claimed(home))
    tree = tree_of(process.pid)
    began = time.monotonic()
    process.send_signal(number)
    ended = end_of(process)
    assert_in_time("ended", time.monotonic() - began, SOON_SECONDS)
    assert ended.returncode == 1
    assert "goes on where it stopped" in one_line(ended.stderr)
    assert still_running(tree) == []
    with rows_of(home) as connection:
        [chunk] = list(connection.execute("SELECT * FROM chunk"))
    assert (chunk["state"], chunk["worker"], chunk["lease_until"]) == ("queued", None, None)
    assert (chunk["attempts"], chunk["losses"]) == (0, 0)


def test_a_stopped_run_goes_on_where_it_stopped(
    clip: Path, undisturbed: Found, tmp_path: Path
) -> None:
    home = new_home(tmp_path / "home")
    # The sixth chunk of 4 s, and those after it, would go on without an end.
    pts = round(20 / packets_of(clip).time_base)
    endless = environment(f"wait:{pts}:{tmp_path / 'gate'}")
    tag = ("tag", clip, *BY_LOT)
    process = start_castline(home, *tag, "--workers", "1", environment=endless, chunk_seconds=4)
    wait_until(lambda: _extracted(home) == 5)
    process.send_signal(signal.SIGTERM)
    end_of(process)
    assert _extracted(home) == 5
    frames = sorted((home / "frames").rglob("*.*"))
    written = {path: path.stat().st_mtime_ns for path in frames if path.is_file()}
    assert written

    assert castline(home, *tag, chunk_seconds=4).returncode == 0
    assert_nothing_is_stuck(home)
    assert_equal_rows(found_in(home), undisturbed)
    # What was extracted before the stop was not decoded again.
    assert {path: path.stat().st_mtime_ns for path in written} == written


def _is_claimed(home: Path) -> bool:
    return _count(home, "SELECT count(*) FROM chunk WHERE worker IS NOT NULL") > 0


def _extracted(home: Path) -> int:
    return _count(home, "SELECT count(*) FROM chunk WHERE state IN ('extracted', 'tagged')")


def _count(home: Path, query: str) -> int:
    try:
        with rows_of(home) as connection:
            return int(connection.execute(query).fetchone()[0])
    except sqlite3.OperationalError:
        return 0  # the database is still being made
