"""Celery's workers on PostgreSQL: the rows of the embedded runner, whoever dies on the way."""

import os
import random
import signal
import time
from collections import Counter
from collections.abc import Iterator
from pathlib import Path

import psutil
import pytest

from tests.cluster import Cluster, cluster
from tests.commands import BY_LOT, PATIENCE_SECONDS, castline, new_home
from tests.processes import still_running, tree_of
from tests.rows import Found, assert_equal_rows, assert_nothing_is_stuck, found_in
from tests.waiting import wait_until
from worker.celery_worker import STEADY_SECONDS

pytestmark = [pytest.mark.integration, pytest.mark.fault, pytest.mark.timeout(1800)]

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
        workers.enqueue_for_later(clip)
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
    wait_until(lambda: len(pool(workers)) == 3, patience_seconds=240)
    parents = workers.processes("extract", "main")
    workers.enqueue_for_later(clip)
    wait_until(workers.is_claimed)
    victim = pool(workers)[0]
    victim.kill()
    workers.wait_until_done()
    assert workers.processes("extract", "main") == parents
    assert victim not in pool(workers)
    assert_as_undisturbed(workers, undisturbed)


SLOW_START = """
import sys, time
if "billiard.spawn" in " ".join(sys.orig_argv):
    time.sleep(8)
"""
"""What each pool process does first: as on a busy machine, it takes twice the four seconds after
which Celery by default gives up on one that it started in place of another."""


def test_a_killed_pool_process_is_replaced_though_starting_takes_long(
    clip: Path, postgresql_base_url: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    (tmp_path / "sitecustomize.py").write_text(SLOW_START)
    monkeypatch.setenv("PYTHONPATH", str(tmp_path))
    with cluster(tmp_path / "home", postgresql_base_url, [("extract", 1)]) as alone:
        wait_until(lambda: [age_seconds(one) > 10 for one in pool(alone)] == [True])
        [victim] = pool(alone)
        victim.kill()
        assert alone.enqueue(clip).returncode == 0
        wait_until(lambda: alone.count("extracted") > 0, patience_seconds=120)
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
        mains = workers.processes("extract", "main")
        return [one for one in mains if "worker.celery_process" in one.cmdline()]

    def is_steady() -> bool:
        found = celery_processes()
        return bool(found) and age_seconds(found[0]) > 2 * STEADY_SECONDS

    wait_until(is_steady, patience_seconds=240)
    workers.enqueue_for_later(clip)
    wait_until(workers.is_claimed)
    # Now: the one of before may have died meanwhile, if a kill by lot hit its semaphore tracker.
    [dying] = celery_processes()
    dying.kill()
    workers.wait_until_done()
    assert workers.workers["extract"].poll() is None
    assert celery_processes()
    assert_as_undisturbed(workers, undisturbed)


def test_work_that_outlasts_its_lease_is_refused(
    clip: Path, undisturbed: Found, workers: Cluster
) -> None:
    workers.enqueue_for_later(clip)
    held = "SELECT id, token, worker FROM chunk WHERE worker IS NOT NULL AND state = 'queued'"
    claims: list[tuple[int, int, str]] = []

    def is_stopped_in_mid_chunk() -> bool:
        claims[:] = workers.ask(held)
        if not claims:
            return False
        late = psutil.Process(int(claims[0][2].split("/")[1]))
        late.suspend()
        if claims[0] in workers.ask(held):
            return True
        late.resume()  # it was faster
        return False

    wait_until(is_stopped_in_mid_chunk, patience_seconds=240)
    chunk_id, token, worker = claims[0]
    workers.change(f"UPDATE chunk SET lease_until = now() WHERE id = {chunk_id}")
    workers.wait_until_done()
    chunk = f"SELECT token, state, worker FROM chunk WHERE id = {chunk_id}"
    before = workers.ask(chunk)
    assert before[0][0] > token
    psutil.Process(int(worker.split("/")[1])).resume()
    time.sleep(3)
    assert workers.ask(chunk) == before
    assert_as_undisturbed(workers, undisturbed)


def test_sigterm_in_mid_chunk_offers_it_again_at_once(long_clip: Path, workers: Cluster) -> None:
    wait_until(lambda: len(pool(workers)) == 3, patience_seconds=240)
    # Every frame of one long chunk: seconds of work.
    enqueued = workers.enqueue(long_clip, "--every", "0.04", chunk_seconds=600)
    assert enqueued.returncode == 0, enqueued.stderr
    wait_until(workers.is_claimed)
    worker = workers.workers["extract"]
    tree = tree_of(worker.pid)
    began = time.monotonic()
    worker.send_signal(signal.SIGTERM)
    code = worker.wait(PATIENCE_SECONDS)
    seconds = time.monotonic() - began
    print(f"gone after {seconds:.1f} s")
    assert seconds < EXIT_SECONDS
    assert code == 0
    assert still_running(tree, after_seconds=1) == []
    query = "SELECT state, worker, lease_until, attempts, losses FROM chunk"
    assert workers.ask(query) == [("queued", None, None, 0, 0)]
