"""The counters of a worker, and the page from which Prometheus reads them.

A worker consists of several processes: each counts into its own files in one folder, and the one
that serves the page adds them up. The state of the queue is read from the database when the page is
requested.
"""

import os
import shutil
import socket
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING, Any, Protocol

from db.engine import Database
from db.errors import DatabaseError
from db.queue.figures import queue_figures
from db.states import Step
from worker.settings import Settings

if TYPE_CHECKING:
    from prometheus_client.core import GaugeMetricFamily


class FillsBatches(Protocol):
    """The batches of a classifier."""

    def batch_fill(self, frames: int) -> float:
        """Return the share of its batches that `frames` frames fill, 0 to 1."""


class Metrics:
    """Counts nothing: for a worker that serves no metrics."""

    def count_attempts(self, step: Step, chunks: int) -> None:
        """Count chunks that were claimed for a step."""

    def count_decoded(self, frames: int) -> None:
        """Count frames that a decoder output."""

    def count_classified(self, frames: int, classifier: FillsBatches) -> None:
        """Count frames that were classified."""

    def count_refused_message(self) -> None:
        """Count a message in the broker that is not Castline's."""


class PrometheusMetrics(Metrics):
    """Counts for Prometheus.

    Args:
        folder: The folder of the counters of this worker's processes.
    """

    def __init__(self, folder: Path) -> None:
        folder.mkdir(parents=True, exist_ok=True, mode=0o700)
        # The library reads this variable when it is imported.
        os.environ["PROMETHEUS_MULTIPROC_DIR"] = str(folder)
        from prometheus_client import Counter, Histogram

        only_here: Any = {"registry": None}
        self._attempts = Counter(
            "castline_attempts", "Chunks claimed for a step.", ["step"], **only_here
        )
        self._decoded = Counter("castline_frames_decoded", "Frames decoded.", **only_here)
        self._classified = Counter("castline_frames_classified", "Frames classified.", **only_here)
        self._refused = Counter(
            "castline_refused_messages", "Messages that are not Castline's.", **only_here
        )
        self._batch_fill = Histogram(
            "castline_batch_fill",
            "The share of the network's batches that pictures filled.",
            buckets=(0.25, 0.5, 0.75, 0.9, 0.95, 1.0),
            **only_here,
        )

    def count_attempts(self, step: Step, chunks: int) -> None:
        """Count chunks that were claimed for a step."""
        self._attempts.labels(step).inc(chunks)

    def count_decoded(self, frames: int) -> None:
        """Count frames that a decoder output."""
        self._decoded.inc(frames)

    def count_classified(self, frames: int, classifier: FillsBatches) -> None:
        """Count frames that were classified."""
        self._classified.inc(frames)
        self._batch_fill.observe(classifier.batch_fill(frames))

    def count_refused_message(self) -> None:
        """Count a message in the broker that is not Castline's."""
        self._refused.inc()


def open_metrics(settings: Settings) -> Metrics:
    """Return the counters of a worker's process."""
    if settings.metrics_port is None:
        return Metrics()
    return PrometheusMetrics(metrics_folder(settings, settings.metrics_port))


def metrics_folder(settings: Settings, port: int) -> Path:
    """Return the folder of a worker's counters, by machine and port; containers share homes."""
    return settings.home / "metrics" / f"{socket.gethostname()}-{port}"


@contextmanager
def serve_metrics(settings: Settings, database: Database) -> Iterator[None]:
    """Serve `/metrics` during the block, if the settings ask for it; counters start at zero.

    To be entered by a worker's first process before it starts others.

    Raises:
        WorkerError: The address cannot be bound.
    """
    if settings.metrics_port is None:
        yield
        return
    port = settings.metrics_port
    folder = metrics_folder(settings, port)
    PrometheusMetrics(folder)  # creates the folder, and makes the library count in it
    from prometheus_client import CollectorRegistry
    from prometheus_client.multiprocess import MultiProcessCollector

    from worker.telemetry.metrics_page import serve_page

    registry = CollectorRegistry()
    MultiProcessCollector(registry, path=str(folder))  # type: ignore[no-untyped-call]
    registry.register(_Queue(database))
    with serve_page(settings.metrics_address, port, registry):
        _remove_counts_of_others(folder)
        try:
            yield
        finally:
            shutil.rmtree(folder, ignore_errors=True)


def _remove_counts_of_others(folder: Path) -> None:
    for path in folder.glob("*.db"):
        if not path.stem.endswith(f"_{os.getpid()}"):
            path.unlink(missing_ok=True)


class _Queue:
    """The state of the queue at the time of a request."""

    def __init__(self, database: Database) -> None:
        self._database = database

    def describe(self) -> list["GaugeMetricFamily"]:
        """Return nothing in advance: the database is not queried before the first request."""
        return []

    def collect(self) -> Iterator["GaugeMetricFamily"]:
        from prometheus_client.core import GaugeMetricFamily

        is_up = GaugeMetricFamily("castline_database_up", "1 if the database answers.")
        try:
            with self._database.read() as connection:
                figures = queue_figures(connection)
        except DatabaseError:
            is_up.add_metric([], 0)
            yield is_up
            return
        is_up.add_metric([], 1)
        depth = GaugeMetricFamily(
            "castline_queue_depth", "Chunks that wait for a step.", labels=["step"]
        )
        for state, chunks in figures.waiting.items():
            depth.add_metric([Step.of(state)], chunks)
        yield from (is_up, depth)
        for name, text, value in (
            ("claimed_chunks", "Chunks that are being worked on.", figures.claimed),
            ("quarantined_chunks", "Chunks that were given up.", figures.quarantined),
            (
                "oldest_unclaimed_chunk_seconds",
                "Since the run of the oldest waiting chunk was queued.",
                figures.oldest_unclaimed_seconds,
            ),
        ):
            yield GaugeMetricFamily(f"castline_{name}", text, value=value)
