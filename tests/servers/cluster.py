"""Celery's workers on this machine: as many as a test wants, with a broker and a database."""

import os
import subprocess
import time
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import psutil
import psycopg

from db.engine import Database
from db.upgrade import upgrade_database
from tests.rows.found import rows
from tests.servers.brokers import Broker, redis_broker
from tests.servers.commands import BY_LOT, COMMAND, castline, environment_of, new_home
from tests.servers.databases import new_postgresql_url
from tests.servers.processes import tree_of
from tests.video import decoders
from tests.waiting import wait_until

POLL_SECONDS = 0.05
"""Between looks at the database: short beside a chunk's work, long beside a look."""

BATCH_SIZE = 48
"""As the embedded runner takes; finding one by trying would take each worker seconds."""


class Cluster:
    """A home, a broker, a database, and the workers that were started."""

    def __init__(self, home: Path, broker: Broker, database_url: str, **settings: str | int):
        self.home = home
        self.broker = broker
        self.database_url = database_url
        self.workers: dict[str, subprocess.Popen[bytes]] = {}
        self._concurrencies: dict[str, int] = {}
        self.gate = home / "gate"  # without which no chunk is ever extracted
        self.gate.touch()
        places: dict[str, str | int] = {"broker_url": broker.url, "database_url": database_url}
        self.settings = places | {"batch_size": BATCH_SIZE} | settings

    def start_worker(self, step: str, concurrency: int) -> None:
        """Starts a worker for a step, in place of the one that may have been there."""
        self._concurrencies[step] = concurrency
        options = ("--queues", step, "--concurrency", str(concurrency), "--device", "cpu")
        with self._log(step).open("a") as log:
            self.workers[step] = subprocess.Popen(
                [*COMMAND, "worker", *options],
                env=environment_of(self.home, **self.settings)
                | decoders.environment(f"wait:0:{self.gate}"),
                stdin=subprocess.DEVNULL,
                stdout=subprocess.DEVNULL,
                stderr=log,
            )

    def keep_workers(self) -> None:
        """Starts each worker again that has ended."""
        for step, worker in list(self.workers.items()):
            if worker.poll() is not None:
                self.start_worker(step, self._concurrencies[step])

    def enqueue(
        self, clip: Path, *options: str, **settings: str | int
    ) -> subprocess.CompletedProcess[str]:
        """`castline enqueue` of a clip."""
        return castline(self.home, "enqueue", clip, *BY_LOT, *options, **(self.settings | settings))

    @contextmanager
    def in_mid_chunk(
        self, clip: Path, *, keeping_workers: bool = False, **settings: str | int
    ) -> Iterator[list[psutil.Process]]:
        """Enqueues a clip; gives who works on chunks, none of which is done before the end.

        Args:
            clip: the episode.
            keeping_workers: whether to start workers again that end before anybody works.
            settings: other settings for the enqueueing.
        """
        self.gate.unlink()
        try:
            enqueued = self.enqueue(clip, **settings)
            assert enqueued.returncode == 0, enqueued.stderr
            self._wait_until(self.is_claimed, keeping_workers=keeping_workers)
            claims = self.ask("SELECT worker FROM chunk WHERE worker IS NOT NULL ORDER BY id")
            yield [psutil.Process(int(worker.split("/")[1])) for [worker] in claims]
        finally:
            self.gate.touch()

    @contextmanager
    def suspended(self, step: str) -> Iterator[None]:
        """Freezes all processes of a step's worker for a while."""
        tree = tree_of(self.workers[step].pid)
        for process in tree:
            process.suspend()
        try:
            yield
        finally:
            for process in tree:
                process.resume()

    def forget(self) -> None:
        """Empties the database and the queues, so that the same clip is new again."""
        tables = "tag, appearance, current_run, chunk, run, episode"
        self.change(f"TRUNCATE {tables} RESTART IDENTITY CASCADE")
        queues = self.broker.client.keys("castline:*.bulk")
        # With the messages that killed workers had taken, which come back after half an hour.
        self.broker.client.delete(*queues, "castline:unacked", "castline:unacked_index")

    def change(self, statement: str) -> None:
        """Changes the database behind Castline's back."""
        with psycopg.connect(self.database_url) as connection:
            connection.execute(statement.encode())

    def ask(self, query: str) -> list[tuple[Any, ...]]:
        """What a query gives."""
        time.sleep(POLL_SECONDS)  # who asks again and again leaves the machine to the workers
        return rows(self.database_url, query)

    def is_claimed(self) -> bool:
        """Whether somebody works on a chunk now."""
        return bool(self.ask("SELECT 1 FROM chunk WHERE worker IS NOT NULL"))

    def count(self, *states: str) -> int:
        """How many chunks are in one of these states."""
        listed = ", ".join(f"'{state}'" for state in states)
        [[count]] = self.ask(f"SELECT count(*) FROM chunk WHERE state IN ({listed})")
        return int(count)

    def unacknowledged(self) -> int:
        """How many messages somebody took and has not done with."""
        return int(self.broker.client.hlen("castline:unacked"))

    def is_done(self) -> bool:
        """Whether every run has ended."""
        return not self.ask("SELECT 1 FROM run WHERE state IN ('queued', 'running')")

    def wait_until_done(self, *, keeping_workers: bool = False) -> float:
        """Waits until every run has ended; says how many seconds that took.

        Args:
            keeping_workers: whether to start workers again that end meanwhile.
        """
        began = time.monotonic()
        self._wait_until(self.is_done, keeping_workers=keeping_workers)
        return time.monotonic() - began

    def _wait_until(self, reached: Callable[[], bool], *, keeping_workers: bool) -> None:
        def is_reached() -> bool:
            if keeping_workers:
                self.keep_workers()
            return reached()

        wait_until(is_reached)

    def processes(self, step: str, kind: str) -> list[psutil.Process]:
        """The processes of a kind that a step's worker has now.

        Args:
            step: which worker.
            kind: `main` for those that start others, hear messages or keep account of semaphores,
                `pool` for those that work, `decoder` for those that decode.
        """
        tree = tree_of(self.workers[step].pid)
        kinds = {process: _kind_of(process) for process in tree}
        return [process for process in tree if kinds[process] == kind]

    def celery_processes(self, step: str) -> list[psutil.Process]:
        """The process of Celery's that hears messages for a step's worker, once it is there."""
        mains = self.processes(step, "main")
        return [one for one in mains if "worker.cluster.celery_process" in one.cmdline()]

    def stop(self) -> None:
        """Kills whatever runs."""
        for worker in self.workers.values():
            for process in tree_of(worker.pid):
                process.kill()
            worker.wait()

    def print_logs(self) -> None:
        """Prints what the workers said since the last time, for whoever reads of a failure."""
        for step in self.workers:
            log = self._log(step)
            print(f"{step}:\n{log.read_text()}")
            os.truncate(log, 0)

    def log_text(self) -> str:
        """What the workers said since the last time."""
        return "".join(self._log(step).read_text() for step in self.workers)

    def _log(self, step: str) -> Path:
        return self.home / f"{step}.log"


def _kind_of(process: psutil.Process) -> str:
    try:
        line = " ".join(process.cmdline())
    except psutil.NoSuchProcess:
        return "gone"
    if "spawn_main" in line:
        return "pool"
    return "decoder" if "tests.video.decoders" in line else "main"


@contextmanager
def cluster(
    home: Path, postgresql_base_url: str, workers: Sequence[tuple[str, int]], **settings: str | int
) -> Iterator[Cluster]:
    """A cluster with workers (step, concurrency), which is gone at the end."""
    url = new_postgresql_url(postgresql_base_url)
    database = Database(url)
    upgrade_database(database)
    database.dispose()
    with redis_broker() as broker:
        made = Cluster(new_home(home), broker, url, **settings)
        try:
            for step, concurrency in workers:
                made.start_worker(step, concurrency)
            yield made
        finally:
            made.stop()
