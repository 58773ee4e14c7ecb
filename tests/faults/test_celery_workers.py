"""Celery's workers on PostgreSQL: the rows of the embedded runner, whoever dies on the way."""

import os
import random
import signal
import time
from collections import Counter
from collections.abc import Iterator
from contextlib import ExitStack
from pathlib import Path

import psutil
import pytest

from tests.rows.found import Found, assert_equal_rows, assert_nothing_is_stuck, found_in
from tests.servers.cluster import Cluster, cluster
from tests.servers.commands import BY_LOT, castline, new_home
from tests.servers.processes import still_running, tree_of
from tests.waiting import PATIENCE_SECONDS, assert_in_time, wait_until
from worker.cluster.celery_worker import STEADY_SECONDS

pytestmark = [pytest.mark.integration, pytest.mark.fault]

KILLS = int(os.environ.get("CASTLINE_KILLS", "8"))

WORKERS = (("extract", 3), ("classify", 2))

EXIT_SECONDS = 65.0
"""What the design grants to a worker that is told to stop."""

VICTIMS = (
    *(("extract", "main"), ("extract", "pool"), ("extract", "pool"), ("extract", "decoder")),
    *(("classify", "main"), ("classify", "pool")),
)
"""Drawn by lot; a classify process that died takes seconds to be ready again."""


@pytest.fixture(scope="module")
def shared(tmp_path_factory: pytest.TempPathFactory, postgresql_base_url: str) -> Iterator[Cluster]:
    """Three processes to extract and two to classify."""
    home = tmp_path_factory.mktemp("workers") / "home"
    with cluster(home, postgresql_base_url, WORKERS, chunk_seconds=2) as made:
        yield made


@pytest.fixture
def workers(shared: Cluster) -> Iterator[Cluster]:
    """The same workers, all there, with nothing to do and nothing done."""
    shared.forget()
    shared.keep_workers()
    yield shared
    shared.print_logs()


def assert_as_undisturbed(workers: Cluster, undisturbed: Found) -> None:
    assert_nothing_is_stuck(workers.database_url)
    assert_equal_rows(found_in(workers.database_url), undisturbed)


def test_five_processes_on_postgresql_find_what_the_embedded_runner_finds_on_sqlite(
    clip: Path, undisturbed: Found, workers: Cluster
) -> None:
    enqueued = workers.enqueue(clip)
    assert enqueued.returncode == 0, enqueued.stderr
    workers.wait_until_done()
    assert_as_undisturbed(workers, undisturbed)


@pytest.mark.skipif("CASTLINE_ALL_CLIPS" not in os.environ, reason="long: make celery-rows")
def test_every_clip_has_the_rows_of_the_embedded_runner(
    shared_video: Path, workers: Cluster, tmp_path: Path
) -> None:
    clips = sorted(path for path in shared_video.iterdir() if path.suffix in (".mkv", ".mp4"))
    assert clips
    for clip in clips:
        home = new_home(tmp_path / clip.stem)
        embedded = castline(home, "tag", clip, *BY_LOT)
        assert embedded.returncode == 0, embedded.stderr
        expected = found_in(home)
        workers.forget()
        assert workers.enqueue(clip, chunk_seconds=10).returncode == 0
        workers.wait_until_done()
        assert_as_undisturbed(workers, expected)
        print(f"{clip.name}: {len(expected.tags)} tags, {len(expected.appearances)} appearances")


def test_kills_at_random_moments_change_no_row(
    clip: Path, undisturbed: Found, workers: Cluster
) -> None:
    seed = random.SystemRandom().randrange(1_000_000)
    lot = random.Random(seed)
    killed: Counter[str] = Counter()
    while killed.total() < KILLS:
        workers.forget()
        workers.keep_workers()
        # A worker whose process was killed in the round before may give up only now.
        with workers.in_mid_chunk(clip, keeping_workers=True):
            killed += kill_one(workers, lot)
        while killed.total() < KILLS and not workers.is_done():
            time.sleep(lot.uniform(0.05, 1))
            killed += kill_one(workers, lot)
            workers.keep_workers()
        workers.wait_until_done(keeping_workers=True)
        print(f"seed {seed}: killed {dict(killed)}")
        assert_as_undisturbed(workers, undisturbed)


def kill_one(workers: Cluster, lot: random.Random) -> Counter[str]:
    """SIGKILL of a process of a kind that is drawn by lot, if there is one now."""
    step, kind = lot.choice(VICTIMS)
    victims = workers.processes(step, kind)
    if not victims:
        return Counter()
    try:
        lot.choice(victims).kill()
    except psutil.NoSuchProcess:
        return Counter()
    return Counter([f"{step} {kind}"])


def test_a_killed_pool_process_costs_no_row_and_its_parent_lives(
    clip: Path, undisturbed: Found, workers: Cluster
) -> None:
    wait_until(lambda: len(pool(workers)) == 3)
    parents = workers.processes("extract", "main")
    with workers.in_mid_chunk(clip) as at_work:
        victim = at_work[0]
        victim.kill()
    workers.wait_until_done()
    assert workers.processes("extract", "main") == parents
    assert victim not in pool(workers)
    assert_as_undisturbed(workers, undisturbed)


SLOW_START_SECONDS = "8"
"""Of a pool process: as on a busy machine, it takes twice the four seconds after which Celery by
default gives up on one that it started in place of another."""


def test_a_killed_pool_process_is_replaced_though_starting_takes_long(
    clip: Path, postgresql_base_url: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("POOL_STARTS_AFTER_SECONDS", SLOW_START_SECONDS)
    with cluster(tmp_path / "home", postgresql_base_url, [("extract", 1)]) as alone:
        with alone.in_mid_chunk(clip) as [victim]:
            assert pool(alone) == [victim]
            victim.kill()
        wait_until(lambda: alone.count("extracted") > 0)
        [replacement] = pool(alone)
        assert replacement != victim


def age_seconds(process: psutil.Process) -> float:
    return time.time() - process.create_time()


def pool(workers: Cluster) -> list[psutil.Process]:
    """The processes that extract."""
    return workers.processes("extract", "pool")


def test_a_celery_process_that_dies_at_work_is_started_again(
    clip: Path, undisturbed: Found, workers: Cluster
) -> None:
    def celery_processes() -> list[psutil.Process]:
        return workers.celery_processes("extract")

    def is_steady() -> bool:
        found = celery_processes()
        return bool(found) and age_seconds(found[0]) > 2 * STEADY_SECONDS

    wait_until(is_steady)
    with workers.in_mid_chunk(clip):
        # Now: the one of before may have died, if a kill by lot hit its semaphore tracker.
        [dying] = celery_processes()
        dying.kill()
    workers.wait_until_done()
    assert workers.workers["extract"].poll() is None
    assert celery_processes()
    assert_as_undisturbed(workers, undisturbed)


def test_work_that_outlasts_its_lease_is_refused(
    clip: Path, undisturbed: Found, workers: Cluster
) -> None:
    with ExitStack() as at_the_end:
        with workers.in_mid_chunk(clip) as [late, *_]:
            late.suspend()
            at_the_end.callback(late.resume)
            held = f"SELECT id, token FROM chunk WHERE worker LIKE '%/{late.pid}/%'"
            [(chunk_id, token)] = workers.ask(held)
            workers.change(f"UPDATE chunk SET lease_until = now() WHERE id = {chunk_id}")
        workers.wait_until_done()
        chunk = f"SELECT token, state, worker FROM chunk WHERE id = {chunk_id}"
        before = workers.ask(chunk)
        assert before[0][0] > token
        wait_until(lambda: workers.unacknowledged() == 1)  # that of the late one
    wait_until(lambda: workers.unacknowledged() == 0)  # by then it has tried to write
    assert workers.ask(chunk) == before
    assert_as_undisturbed(workers, undisturbed)


def test_sigterm_in_mid_chunk_offers_it_again_at_once(clip: Path, workers: Cluster) -> None:
    wait_until(lambda: len(pool(workers)) == 3)
    with workers.in_mid_chunk(clip, chunk_seconds=600):
        worker = workers.workers["extract"]
        tree = tree_of(worker.pid)
        began = time.monotonic()
        worker.send_signal(signal.SIGTERM)
        code = worker.wait(PATIENCE_SECONDS)
        assert_in_time("gone", time.monotonic() - began, EXIT_SECONDS)
        assert code == 0
        assert still_running(tree) == []
        query = "SELECT state, worker, lease_until, attempts, losses FROM chunk"
        assert workers.ask(query) == [("queued", None, None, 0, 0)]
