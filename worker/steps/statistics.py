"""Statistics of a process's work on runs, collected until a transaction is worth it."""

import threading
import time
from collections import defaultdict
from collections.abc import Iterable, Iterator
from contextlib import contextmanager

from db.engine import Database
from db.errors import DatabaseCutError
from db.queue.statistics import add_statistics
from db.states import Statistic

WRITTEN_EVERY_SECONDS = 5.0
"""Interval of transactions of a millisecond or two; a killed process loses at most the statistics
of this time, or those collected since the database was cut."""


class StatisticsRecorder:
    """The statistics of this process that are not written yet. Thread-safe."""

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._amounts: dict[tuple[int, Statistic], float] = defaultdict(float)
        self._write_at = time.monotonic() + WRITTEN_EVERY_SECONDS

    def add(self, name: Statistic, run_ids: Iterable[int], amount: float) -> None:
        """Divide an amount among runs, as often as each is named.

        Args:
            name: The statistic.
            run_ids: Runs, for example one for each chunk.
            amount: Seconds, or frames.
        """
        among = list(run_ids)
        with self._lock:
            for run_id in among:
                self._amounts[run_id, name] += amount / len(among)

    @contextmanager
    def timed(self, name: Statistic, run_ids: Iterable[int]) -> Iterator[None]:
        """Add the duration of the block; `run_ids` may still be filled inside it."""
        began = time.monotonic()
        try:
            yield
        finally:
            self.add(name, run_ids, time.monotonic() - began)

    def write(self, database: Database, *, at_once: bool = False) -> None:
        """Write all statistics if the last write is long enough ago; later if the server is gone.

        It does not wait during an outage: visible statistics may lag, and a process that ends
        during one loses the collected ones.
        """
        if not at_once and time.monotonic() < self._write_at:
            return
        with self._lock:
            amounts, self._amounts = self._amounts, defaultdict(float)
            self._write_at = time.monotonic() + WRITTEN_EVERY_SECONDS
        try:
            if amounts:
                with database.write() as connection:
                    add_statistics(connection, amounts)
        except DatabaseCutError:
            for (run_id, name), amount in amounts.items():
                self.add(name, [run_id], amount)
