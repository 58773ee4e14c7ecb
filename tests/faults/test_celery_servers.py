"""Celery's workers while the broker or the database fails: nothing lost, nothing twice."""

import base64
import json
import os
import pickle
import time
import uuid
from collections.abc import Callable, Iterator
from contextlib import nullcontext
from pathlib import Path

import psycopg
import pytest

from tests.rows.found import Found, assert_equal_rows, assert_nothing_is_stuck, found_in
from tests.servers.cluster import Cluster, cluster
from tests.servers.databases import restartable_postgresql
from tests.waiting import assert_in_time, wait_until
from worker.cluster.app import make_app
from worker.settings import Settings

pytestmark = [pytest.mark.integration, pytest.mark.fault]

FROZEN_SECONDS = float(os.environ.get("CASTLINE_FROZEN_SECONDS", "8"))

ROUNDS = int(os.environ.get("CASTLINE_BROKER_KILLS", "1"))
"""How often the broker is killed while there is nothing to do, and again in the midst of work."""

DATABASE_RESTARTS = int(os.environ.get("CASTLINE_DATABASE_RESTARTS", "1"))

ANSWER_SECONDS = 30.0
"""What the design grants to `enqueue`."""

RESUME_SECONDS = 60.0
"""What the design grants to a worker whose broker is back."""

CHUNKS_AHEAD = 4

Restart = Callable[[], None]


@pytest.fixture(scope="module")
def servers(
    tmp_path_factory: pytest.TempPathFactory,
) -> Iterator[tuple[Cluster, Restart]]:
    """Workers with a PostgreSQL server of their own."""
    home = tmp_path_factory.mktemp("servers") / "home"
    both = [("extract", 2), ("classify", 1)]
    with (
        restartable_postgresql() as (url, restart),
        cluster(home, url, both, chunk_seconds=2, chunks_ahead=CHUNKS_AHEAD) as made,
    ):
        yield made, restart


@pytest.fixture
def workers(servers: tuple[Cluster, Restart]) -> Iterator[Cluster]:
    """The workers, with nothing to do and nothing done."""
    servers[0].forget()
    servers[0].keep_workers()
    yield servers[0]
    servers[0].print_logs()


@pytest.fixture
def restart_database(servers: tuple[Cluster, Restart]) -> Restart:
    """Breaks the database server off, and starts it again."""
    return servers[1]


def assert_as_undisturbed(workers: Cluster, undisturbed: Found) -> None:
    assert_nothing_is_stuck(workers.database_url)
    assert_equal_rows(found_in(workers.database_url), undisturbed)


def test_extraction_stays_a_set_number_of_chunks_ahead(
    clip: Path, undisturbed: Found, workers: Cluster
) -> None:
    with workers.suspended("classify"):
        assert workers.enqueue(clip).returncode == 0
        wait_until(lambda: workers.count("extracted") == CHUNKS_AHEAD)
        until = time.monotonic() + 8  # longer than the sweeper lets things lie
        while time.monotonic() < until:
            ahead = "state = 'extracted' OR state = 'queued' AND worker IS NOT NULL"
            [[count]] = workers.ask(f"SELECT count(*) FROM chunk WHERE {ahead}")
            assert count == CHUNKS_AHEAD
    workers.wait_until_done()
    assert_as_undisturbed(workers, undisturbed)


def test_pickled_messages_are_refused_and_run_no_code(
    clip: Path, undisturbed: Found, workers: Cluster, tmp_path: Path
) -> None:
    written = tmp_path / "was_run"
    pids = [worker.pid for worker in workers.workers.values()]
    for body in (pickle.dumps(([Hostile(written)], {}, {})), pickle.dumps(Hostile(written))):
        for queue in ("extract.bulk", "classify.bulk"):
            workers.broker.client.lpush(f"castline:{queue}", message(body, queue))
    assert workers.enqueue(clip).returncode == 0
    workers.wait_until_done()
    assert not written.exists()
    assert [worker.pid for worker in workers.workers.values() if worker.poll() is None] == pids
    assert_as_undisturbed(workers, undisturbed)


GARBAGE = (
    *(b"null", b"0", b"true", b'""', b"[]", b"{}", b"", b"\x80\x04N.", b"\xff\xfe", b"no JSON"),
    b"[" * 100_000,
    b'{"properties": null, "headers": null, "body": null}',
    b'{"__type__": "decimal", "__value__": "no number"}',
)
"""Raw bytes in place of a message."""

BODIES = ("null", "[]", "{}", '"text"', "7", "[[1], {}]", "[null, null, null]", '[["1"], {}, {}]')
"""JSON in place of the three parts that Celery expects."""


def test_messages_that_nobody_of_castline_wrote_are_refused_and_counted(
    clip: Path, undisturbed: Found, workers: Cluster
) -> None:
    wait_until(lambda: all(workers.celery_processes(step) for step in workers.workers))
    before = {step: workers.celery_processes(step) for step in workers.workers}
    refused = 0
    for queue in ("extract.bulk", "extract.interactive", "classify.bulk", "classify.interactive"):
        texts = [message(body.encode(), queue, "application/json") for body in BODIES]
        items = [*GARBAGE, *(text.encode() for text in texts), *broken_envelopes(queue)]
        workers.broker.client.lpush(f"castline:{queue}", *items)
        refused += len(items)
    wait_until(lambda: refused_by(workers) == refused)
    workers.broker.kill()
    workers.broker.start()
    for queue in ("extract.bulk", "classify.bulk"):  # the door is there on a new connection, too
        workers.broker.client.lpush(f"castline:{queue}", b"null")
    wait_until(lambda: refused_by(workers) == refused + 2)
    assert workers.enqueue(clip).returncode == 0
    workers.wait_until_done()
    assert {step: workers.celery_processes(step) for step in workers.workers} == before
    assert_as_undisturbed(workers, undisturbed)


def test_nothing_that_is_said_to_all_workers_is_obeyed_or_ends_one(
    clip: Path, undisturbed: Found, workers: Cluster
) -> None:
    wait_until(lambda: all(workers.celery_processes(step) for step in workers.workers))
    before = {step: workers.celery_processes(step) for step in workers.workers}
    channel = "castline:/0.celery.pidbox"
    wait_until(lambda: workers.broker.client.publish(channel, b"null") == len(before))
    for said in (b"[1]", b"{}", b"[" * 100_000, b"\xff"):
        assert workers.broker.client.publish(channel, said) == len(before)
    settings = Settings(workers.home, "sqlite://", broker_url=workers.broker.url)
    make_app(settings).control.broadcast("shutdown")
    assert workers.enqueue(clip).returncode == 0
    workers.wait_until_done()
    assert {step: workers.celery_processes(step) for step in workers.workers} == before
    assert_as_undisturbed(workers, undisturbed)


def refused_by(workers: Cluster) -> int:
    return workers.log_text().count("refused a message in")


def broken_envelopes(queue: str) -> list[bytes]:
    """Messages of a chunk, each with a part that Celery stumbles over."""
    whole = json.loads(message(b"[[1], {}, {}]", queue, "application/json"))
    parts: list[dict[str, object]] = [
        {"headers": None},
        {"headers": {"task": "castline.other", "id": "a"}},
        {"headers": whole["headers"] | {"retries": "many"}},
        {"properties": None},
        {"content-type": "application/data"},
        {"body": "no base64!"},
        {"body": 7},
    ]
    return [json.dumps(whole | part).encode() for part in parts]


class Hostile:
    """Writes a file when it is unpickled."""

    def __init__(self, path: Path) -> None:
        self._path = path

    def __reduce__(self) -> tuple[object, tuple[str]]:
        return os.mkdir, (str(self._path),)


def message(body: bytes, queue: str, kind: str = "application/x-python-serialize") -> str:
    """A message as Kombu's Redis transport writes it."""
    return json.dumps(
        {
            "body": base64.b64encode(body).decode(),
            "content-encoding": "binary",
            "content-type": kind,
            "headers": {"task": f"castline.{queue.partition('.')[0]}", "id": str(uuid.uuid4())},
            "properties": {
                "correlation_id": str(uuid.uuid4()),
                "delivery_mode": 2,
                "delivery_info": {"exchange": "", "routing_key": queue},
                "priority": 0,
                "body_encoding": "base64",
                "delivery_tag": str(uuid.uuid4()),
            },
        }
    )


@pytest.mark.parametrize("when", ["idle", "busy"])
def test_a_broker_that_is_killed_and_started_again_costs_nothing(
    when: str, clip: Path, undisturbed: Found, workers: Cluster
) -> None:
    for _ in range(ROUNDS):
        workers.forget()
        with workers.in_mid_chunk(clip) if when == "busy" else nullcontext():
            workers.broker.kill()
        time.sleep(2)
        workers.broker.start()
        if when == "idle":
            assert workers.enqueue(clip).returncode == 0
        assert_in_time(f"{when}: done", workers.wait_until_done(), RESUME_SECONDS)
        assert_as_undisturbed(workers, undisturbed)


def test_a_broker_that_is_down_makes_enqueue_say_so_and_keeps_the_run(
    clip: Path, undisturbed: Found, workers: Cluster
) -> None:
    workers.broker.kill()
    assert_says_that_the_broker_fails(workers, clip)
    workers.broker.start()
    workers.wait_until_done()
    assert_as_undisturbed(workers, undisturbed)


def test_a_frozen_broker_does_not_hold_up_enqueue_and_workers_recover(
    clip: Path, undisturbed: Found, workers: Cluster
) -> None:
    began = time.monotonic()
    workers.broker.freeze()
    try:
        assert_says_that_the_broker_fails(workers, clip)
        time.sleep(max(FROZEN_SECONDS - (time.monotonic() - began), 0))
    finally:
        workers.broker.thaw()
    print(f"done {workers.wait_until_done():.1f} s after the thaw")
    assert_as_undisturbed(workers, undisturbed)


def test_a_broker_without_memory_makes_enqueue_say_so_and_the_sweeper_offers_every_chunk(
    clip: Path, undisturbed: Found, workers: Cluster
) -> None:
    workers.broker.client.config_set("maxmemory", 1)
    try:
        assert_says_that_the_broker_fails(workers, clip)
    finally:
        workers.broker.client.config_set("maxmemory", 0)
    workers.wait_until_done()
    assert_as_undisturbed(workers, undisturbed)


def test_a_broker_that_is_flushed_costs_nothing(
    clip: Path, undisturbed: Found, workers: Cluster
) -> None:
    with workers.suspended("extract"):
        assert workers.enqueue(clip).returncode == 0
        workers.broker.client.flushall()
    workers.wait_until_done()
    assert_as_undisturbed(workers, undisturbed)


def assert_says_that_the_broker_fails(workers: Cluster, clip: Path) -> None:
    began = time.monotonic()
    enqueued = workers.enqueue(clip)
    assert_in_time("enqueue answered", time.monotonic() - began, ANSWER_SECONDS)
    assert enqueued.returncode == 1
    complaints = [line for line in enqueued.stderr.splitlines() if line.startswith("castline:")]
    assert len(complaints) == 1, enqueued.stderr
    assert "the broker cannot be used" in complaints[0]
    assert "Traceback" not in enqueued.stderr
    assert workers.ask("SELECT state, chunks_done FROM run") == [("queued", 0)]


def test_cut_connections_and_restarts_of_the_database_change_no_row(
    clip: Path, undisturbed: Found, workers: Cluster, restart_database: Restart
) -> None:
    for _ in range(DATABASE_RESTARTS):
        workers.forget()
        with workers.in_mid_chunk(clip):
            cut_connections(workers)
        for _ in range(4):
            time.sleep(0.5)
            cut_connections(workers)
        restart_database()
        workers.wait_until_done()
        assert_as_undisturbed(workers, undisturbed)
    assert all(worker.poll() is None for worker in workers.workers.values())


def cut_connections(workers: Cluster) -> None:
    with psycopg.connect(workers.database_url) as connection:
        connection.execute(
            "SELECT pg_terminate_backend(pid) FROM pg_stat_activity"
            " WHERE pid <> pg_backend_pid() AND datname = current_database()"
        )
