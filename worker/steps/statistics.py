"""What a process spends on runs, gathered until it is worth a transaction."""

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
"""A transaction of a millisecond or two; a killed process takes at most so much of it
along, or what it had kept since the database was cut."""


class StatisticsRecorder:
    """What this process spent and has not written down yet. Threads may share it."""

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._amounts: dict[tuple[int, Statistic], float] = defaultdict(float)
        self._write_at = time.monotonic() + WRITTEN_EVERY_SECONDS

    def add(self, name: Statistic, run_ids: Iterable[int], amount: float) -> None:
        """Divides an amount among runs, as often as each is named.

        Args:
            name: What it is an amount of.
            run_ids: Of one run for each chunk, say.
            amount: Seconds, or frames.
        """
        among = list(run_ids)
        with self._lock:
            for run_id in among:
                self._amounts[run_id, name] += amount / len(among)

    @contextmanager
    def timed(self, name: Statistic, run_ids: Iterable[int]) -> Iterator[None]:
        """Adds the seconds that are spent inside; `run_ids` may still be filled there."""
        began = time.monotonic()
        try:
            yield
        finally:
            self.add(name, run_ids, time.monotonic() - began)

    def write(self, database: Database, *, at_once: bool = False) -> None:
        """Writes all of it down if that was not done just now, or later if the server is gone.

        A cut is not waited out: what people see of it may lag, and what a process that ends
        during one had kept back is lost.
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
