"""Collect the rows of an answer of unknown length within limits."""

import sys
import time
from dataclasses import dataclass
from typing import Any, NoReturn

from db.errors import DatabaseError

SELECT_SECONDS = 30.0
"""Time limit of a user's SELECT: half as long as a command waits for a lock, so that a reader of
SQLite ends before a writer gives up."""


@dataclass(frozen=True)
class Limits:
    """Limits of time and size of a SELECT."""

    seconds: float = SELECT_SECONDS
    rows: int = 100_000
    """A table of this length takes a terminal some seconds, and nobody reads it."""
    size_bytes: int = 100_000_000
    """Memory of this process: an answer that can be printed on a small machine."""


class Gathering:
    """Rows within the limits."""

    def __init__(self, limits: Limits) -> None:
        self._limits = limits
        self._ends_seconds = time.monotonic() + limits.seconds
        self.rows: list[tuple[Any, ...]] = []
        self.size_bytes = 0

    @property
    def seconds_left(self) -> float:
        """The time left for the SELECT."""
        return self._ends_seconds - time.monotonic()

    def add(self, row: tuple[Any, ...]) -> None:
        """Add one row.

        Raises:
            DatabaseError: There are too many rows, or they are too large.
        """
        self.rows.append(row)
        self.size_bytes += sys.getsizeof(row) + sum(map(sys.getsizeof, row))
        if len(self.rows) > self._limits.rows:
            raise DatabaseError(
                f"the answer has more than {self._limits.rows} rows; ask for fewer with LIMIT,"
                " or for sums"
            )
        if self.size_bytes > self._limits.size_bytes:
            self.refuse_size()

    def refuse_size(self) -> NoReturn:
        """Raise the error that the answer is too large."""
        raise DatabaseError(
            f"the answer takes more than {self._limits.size_bytes / 1e6:g} MB; ask for fewer rows"
            " or shorter values"
        )

    def refuse_time(self) -> NoReturn:
        """Raise the error that the answer takes too long."""
        raise DatabaseError(
            f"no answer within {self._limits.seconds:g} s; ask for less, or query a snapshot"
            " (castline snapshot), which blocks nobody"
        )
