"""The same rows whatever the chunks, the number of workers, and whoever dies on the way."""

import os
import random
from functools import partial
from pathlib import Path

import psutil
import pytest

from tests.rows.found import Found, assert_equal_rows, assert_nothing_is_stuck, found_in, rows_of
from tests.servers.commands import BY_LOT, end_of, new_home, start_castline
from tests.servers.processes import role_of, run_under_kills, still_running, tree_of
from tests.video.decoders import environment
from tests.waiting import wait_until

pytestmark = [pytest.mark.integration, pytest.mark.fault]

KILLS = int(os.environ.get("CASTLINE_KILLS", "12"))

EVERY = ("--every", "0.2")
"""Five looks a second: more pictures than one batch holds, in every chunk of 60 s."""

WAYS = ((10, 4), (60, 2), (600, 1))
"""Chunk length in seconds, number of workers."""


@pytest.fixture(scope="module")
def homes(long_clip: Path, tmp_path_factory: pytest.TempPathFactory) -> list[Path]:
    """One home for each way; all are tagged at the same time."""
    homes = [new_home(tmp_path_factory.mktemp(f"{chunk}_{n}") / "home") for chunk, n in WAYS]
    started = [
        start_castline(
            home, "tag", long_clip, *BY_LOT, *EVERY, "--workers", str(workers), chunk_seconds=chunk
        )
        for home, (chunk, workers) in zip(homes, WAYS, strict=True)
    ]
    for process in started:
        ended = end_of(process)
        assert ended.returncode == 0, ended.stderr
    return homes


@pytest.fixture(scope="module")
def expected(homes: list[Path]) -> Found:
    """What is found when nothing goes wrong."""
    found = found_in(homes[0])
    # The comparison would mean nothing if there were nothing to compare.
    assert len(found.tags) > 200
    assert len(found.appearances) > 10
    return found


def test_the_lengths_of_chunks_and_the_number_of_workers_change_no_row(
    homes: list[Path], expected: Found
) -> None:
    for home in homes:
        assert_nothing_is_stuck(home)
        assert_equal_rows(found_in(home), expected)
    with rows_of(homes[0]) as connection:
        chunks = connection.execute("SELECT count(*) FROM chunk").fetchone()[0]
    assert chunks >= 4, "chunks of 10 s were really made"


def test_kills_at_random_moments_change_no_row(
    long_clip: Path, expected: Found, tmp_path: Path
) -> None:
    seed = random.SystemRandom().randrange(1_000_000)
    lot = random.Random(seed)
    left = KILLS
    rounds = 0
    while left > 0:
        home = new_home(tmp_path / f"home_{rounds}")
        command = ("tag", long_clip, *BY_LOT, *EVERY, "--workers", "3")
        start = partial(start_castline, home, *command, chunk_seconds=5)
        killed = run_under_kills(start, left, lot)
        print(f"seed {seed}: killed {dict(killed)}")
        assert_nothing_is_stuck(home)
        assert_equal_rows(found_in(home), expected)
        left -= killed.total()
        rounds += 1


def test_no_process_outlives_a_killed_runner(clip: Path, tmp_path: Path) -> None:
    endless = environment(f"wait:0:{tmp_path / 'gate'}")
    process = start_castline(new_home(tmp_path / "home"), "tag", clip, *BY_LOT, environment=endless)
    tree: list[psutil.Process] = []

    def all_roles_run() -> bool:
        tree[:] = tree_of(process.pid)
        return {role_of(one) for one in tree} == {"main", "decoder", "classify"}

    wait_until(all_roles_run)
    process.kill()
    assert still_running(tree) == []
    end_of(process)
