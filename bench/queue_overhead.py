"""Measure the overhead of the queue per chunk: the broker's and the database's work.

    python -m bench.queue_overhead [--episodes 12] [--backlog 4]

Synthetic episodes of 22 minutes pass through the real steps of a worker, with a Redis and a
PostgreSQL server that are started here. Nothing is decoded and no network runs: the frames are
grey, and each has two labels. The clock measures messages (published, received, acknowledged) and
transactions, from begin to commit. Writing the rows of tags is useful work, and so is the end of a
run, once per episode: both are shown separately.

Prints a table in Markdown: milliseconds per chunk, median and 95th percentile of all chunks, where
the time of a group is divided among its chunks. `--backlog` further episodes wait in the queue all
the time; with a short queue, groups are smaller, so that more processes get some.
"""

import argparse
import os
import sys
import tempfile
import time
from collections import defaultdict
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field, replace
from pathlib import Path
from statistics import median, quantiles
from typing import Any
from unittest.mock import patch

import numpy as np
from celery import Celery
from sqlalchemy import Connection, event

from db.changes.writes import create_run, register_episode, register_model_version
from db.engine import Database
from db.records import EpisodeRecord
from db.states import Lane, Step
from db.upgrade import upgrade_database
from ingest.decoder.parent import Decoder
from ingest.frames.extract_request import Extracted, Extraction
from ingest.progress import Report
from ingest.storage.frame_store import StoredFrame, write_frames
from model.inference.classifier import Classifier, Prediction
from model.inference.device import Device
from tests.rows.records import PARAMS, made_episode, made_model
from tests.servers.brokers import redis_broker
from tests.servers.databases import new_postgresql_url, postgresql_server
from worker.cluster import offering, pool_worker
from worker.cluster.app import make_app, queue_name
from worker.cluster.pool_worker import PoolWorker
from worker.installation import Installation
from worker.settings import Settings
from worker.steps.classifiers import LoadedClassifiers

MINUTES = 22
CHUNK_MS = 60_000
FRAME_MS = 500
GREY = np.full((16, 16, 3), 128, np.uint8)
WHO = tuple(Prediction(label, "full", 0.5) for label in ("homer_simpson", "ned_flanders"))

TAG_ROWS = "rows of tags (useful work)"
END_OF_RUN = "end of a run (useful work)"
USEFUL = (TAG_ROWS, END_OF_RUN)


@dataclass
class Ledger:
    """Milliseconds by purpose, for one group of chunks after another."""

    phase: str = ""
    groups: list[dict[str, float]] = field(default_factory=list)
    sizes: list[int] = field(default_factory=list)
    """Number of chunks in each group."""

    def begin_group(self) -> None:
        """Begin a group: later entries belong to its chunks."""
        self.groups.append(defaultdict(float))
        self.sizes.append(0)

    def count_chunk(self) -> None:
        """Count a chunk of the group."""
        self.sizes[-1] += 1

    def add(self, name: str, milliseconds: float) -> None:
        """Add a duration to the group."""
        if self.groups:  # times before the first group are not counted
            self.groups[-1][name] += milliseconds

    @contextmanager
    def timed(self, name: str) -> Iterator[None]:
        """Add the duration of the block."""
        began = time.perf_counter()
        yield
        self.add(f"broker, {name}", (time.perf_counter() - began) * 1000)

    def per_chunk(self, name: str) -> list[float]:
        """Return each chunk's share of this duration."""
        return self._shared([group.get(name, 0.0) for group in self.groups])

    def overhead_per_chunk(self) -> list[float]:
        """Return each chunk's share of all durations except useful work."""
        return self._shared(
            [
                sum(value for name, value in group.items() if name not in USEFUL)
                for group in self.groups
            ]
        )

    def _shared(self, of_groups: Sequence[float]) -> list[float]:
        return [
            milliseconds / size
            for milliseconds, size in zip(of_groups, self.sizes, strict=True)
            for _ in range(size)
        ]


class TimedDatabase(Database):
    """A database that records its transactions in a ledger, by the function that opened them."""

    def __init__(self, url: str, ledger: Ledger) -> None:
        super().__init__(url)
        self._ledger = ledger
        self._rows_ms = 0.0
        self._ends_run = False
        self._began = 0.0
        event.listen(self.engine, "before_cursor_execute", self._before)
        event.listen(self.engine, "after_cursor_execute", self._after)

    @contextmanager
    def write(self) -> Iterator[Connection]:
        """Open a timed write transaction."""
        with self._timed(_opener()), super().write() as connection:
            yield connection

    @contextmanager
    def read(self) -> Iterator[Connection]:
        """Open a timed read transaction."""
        with self._timed(_opener()), super().read() as connection:
            yield connection

    @contextmanager
    def _timed(self, name: str) -> Iterator[None]:
        self._rows_ms, self._ends_run = 0.0, False
        began = time.perf_counter()
        yield
        milliseconds = (time.perf_counter() - began) * 1000 - self._rows_ms
        self._ledger.add(TAG_ROWS, self._rows_ms)
        own = END_OF_RUN if self._ends_run else f"database, {self._ledger.phase}: {name}"
        self._ledger.add(own, milliseconds)

    def _before(self, *_: Any) -> None:
        self._began = time.perf_counter()

    def _after(self, _connection: Any, _cursor: Any, statement: str, *_: Any) -> None:
        if statement.startswith(("INSERT INTO tag ", "DELETE FROM tag ")):
            self._rows_ms += (time.perf_counter() - self._began) * 1000
        self._ends_run |= "appearance" in statement


def _opener() -> str:
    """Return the name of the function that opened the transaction, skipping context managers."""
    frame = sys._getframe(1)  # noqa: SLF001 - a bench may look at who called
    while frame.f_code.co_filename in (__file__, contextmanager.__code__.co_filename):
        assert frame.f_back is not None, "somebody called"
        frame = frame.f_back
    return frame.f_code.co_name.strip("_").replace("_", " ")


class IdleDecoder(Decoder):
    """Stores grey frames, two a second, and counts the chunks of a group."""

    def __init__(self, ledger: Ledger) -> None:
        super().__init__()
        self._ledger = ledger

    def extract(self, request: Extraction, on_progress: Report | None = None) -> Extracted:
        """Decode nothing."""
        times = tuple(range(request.start_pts, request.end_pts, FRAME_MS))
        frames = (StoredFrame(pts, GREY) for pts in times)
        write_frames(Path(request.store_path), frames, request.store_manifest)
        self._ledger.count_chunk()
        return Extracted(times, len(times), 0, ())


class IdleClassifier(Classifier):
    """Predicts the same two characters everywhere."""

    frames_per_batch = 16

    def __init__(self) -> None:
        """Load nothing."""

    def batch_fill(self, frames: int) -> float:
        """Return 1, because there are no batches."""
        return 1.0

    def classify(self, frames: Sequence[Any]) -> list[tuple[Prediction, ...]]:
        """Return the same predictions for each frame."""
        return [WHO for _ in frames]


class IdleClassifiers(LoadedClassifiers):
    """Returns one classifier for all model versions."""

    def loaded(self, sha256: str) -> Classifier | None:
        """Return the classifier."""
        return self.load(sha256)

    def load(self, sha256: str) -> Classifier:
        """Load nothing."""
        return IdleClassifier()


class IdlePoolWorker(PoolWorker):
    """A worker's process that does everything but the useful work."""

    def __init__(self, installation: Installation, app: Celery, ledger: Ledger) -> None:
        super().__init__(installation, app, Device.CPU)
        self._decoder = IdleDecoder(ledger)
        self._classifiers = IdleClassifiers(installation.settings, Device.CPU)


def main() -> None:
    arguments = _arguments()
    ledger = measure(arguments.episodes, arguments.backlog)
    print(
        f"{sum(ledger.sizes)} chunks of {arguments.episodes} episodes, {len(ledger.groups)} groups,"
        f" {arguments.backlog} more episodes waiting;"
        f" {os.cpu_count()} cores for all, servers included\n"
    )
    print(table(ledger))


def measure(episodes: int, backlog: int) -> Ledger:
    """Let synthetic episodes pass through the steps of a worker."""
    ledger = Ledger()
    with (
        tempfile.TemporaryDirectory(prefix="castline-bench-") as name,
        postgresql_server() as base_url,
        redis_broker() as broker,
    ):
        home, url = Path(name), new_postgresql_url(base_url)
        broker.client.config_set("appendfsync", "everysec")  # as in docker-compose.yml
        database = TimedDatabase(url, ledger)
        upgrade_database(database)
        _enqueue(database, home / "episode.mkv", episodes + backlog)
        installation = Installation(Settings(home, url, broker_url=broker.url), database)
        app = make_app(installation.settings)
        try:
            _work(installation, app, ledger, episodes * MINUTES)
        finally:
            app.close()
            database.dispose()
    return ledger


def table(ledger: Ledger) -> str:
    """Return the costs of each part per chunk, and their sum, in Markdown."""
    names = list(dict.fromkeys(name for group in ledger.groups for name in group))
    overhead = [name for name in names if name not in USEFUL]
    lines = ["| per chunk | median ms | 95 % below ms |", "|---|---:|---:|"]
    lines += [_row(name, ledger.per_chunk(name)) for name in sorted(overhead)]
    lines.append(_row("**all of the queue's work**", ledger.overhead_per_chunk()))
    lines.append(_row(TAG_ROWS, ledger.per_chunk(TAG_ROWS)))
    ends = [group[END_OF_RUN] for group in ledger.groups if END_OF_RUN in group]
    if len(ends) > 1:
        lines.append(_row(f"{END_OF_RUN}, once per episode", ends))
    return "\n".join(lines)


def _row(name: str, milliseconds: Sequence[float]) -> str:
    return f"| {name} | {median(milliseconds):.2f} | {quantiles(milliseconds, n=20)[-1]:.2f} |"


def _enqueue(database: Database, path: Path, episodes: int) -> None:
    path.touch()
    for number in range(episodes):
        with database.write() as connection:
            create_run(
                connection,
                episode_id=register_episode(connection, _episode(path, number)),
                model_version_id=register_model_version(connection, made_model()),
                params=PARAMS,
                params_hash="c" * 64,
                chunks=[(CHUNK_MS * part, CHUNK_MS * (part + 1)) for part in range(MINUTES)],
                missing=(),
            )
    with database.engine.connect() as connection:
        connection.execution_options(isolation_level="AUTOCOMMIT").exec_driver_sql("ANALYZE")


def _episode(path: Path, number: int) -> EpisodeRecord:
    end_pts = CHUNK_MS * MINUTES
    return replace(
        made_episode(f"{number:064x}", f"{number}.mkv"),
        uri=str(path),
        end_pts=end_pts,
        key_pts=tuple(range(0, end_pts, 10_000)),
    )


def _work(installation: Installation, app: Celery, ledger: Ledger, chunks: int) -> None:
    """Process one group after another: extract a message's chunks, then classify them together."""
    worker = IdlePoolWorker(installation, app, ledger)
    offering.offer(installation, app, [Step.EXTRACT])
    looking = _timed(ledger, "look", offering.messages_in)
    publishing = _timed(ledger, "publish", offering.publish)
    with (
        patch.object(pool_worker, "messages_in", looking),
        patch.object(pool_worker, "publish", publishing),
        patch.object(offering, "publish", publishing),
    ):
        while sum(ledger.sizes) < chunks:
            ledger.begin_group()
            ledger.phase = "extract"
            with _message(app, ledger, Step.EXTRACT) as chunk_id:
                worker.extract(chunk_id, Lane.BULK)
            ledger.phase = "classify"
            with _message(app, ledger, Step.CLASSIFY) as chunk_id:
                worker.classify(chunk_id)


def _timed(ledger: Ledger, name: str, do: Callable[..., Any]) -> Callable[..., Any]:
    def timed(*arguments: Any) -> Any:
        with ledger.timed(name):
            return do(*arguments)

    return timed


@contextmanager
def _message(app: Celery, ledger: Ledger, step: Step) -> Iterator[int]:
    """Yield the chunk of a queue's next message, which is acknowledged when its work is done."""
    with app.connection_or_acquire() as connection:
        queue = app.amqp.queues[queue_name(step, Lane.BULK)]
        with ledger.timed("take"):
            message = queue.bind(connection.default_channel).get()
            assert message is not None, f"nothing to {step}"
            [[chunk_id], *_] = message.payload
        yield chunk_id
        with ledger.timed("acknowledge"):
            message.ack()


def _arguments() -> argparse.Namespace:
    parser = argparse.ArgumentParser(description=(__doc__ or "").splitlines()[0])
    parser.add_argument(
        "--episodes", type=int, default=12, help="number of episodes of 22 minutes to process"
    )
    parser.add_argument(
        "--backlog", type=int, default=4, help="further episodes that wait in the queue"
    )
    return parser.parse_args()


if __name__ == "__main__":
    main()
