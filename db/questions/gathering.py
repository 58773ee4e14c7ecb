"""Rows of an answer whose length nobody knows beforehand, gathered within limits."""

import sys
import time
from dataclasses import dataclass
from typing import Any, NoReturn

from db.errors import DatabaseError

SELECT_SECONDS = 30.0
"""For one SELECT of a person: half as long as a command waits for a lock, so that a reader of
SQLite ends before a writer gives up."""


@dataclass(frozen=True)
class Limits:
    """How long a SELECT may take, and how much it may answer."""

    seconds: float = SELECT_SECONDS
    rows: int = 100_000
    """A table of so many rows takes a terminal some seconds, and nobody reads it."""
    size_bytes: int = 100_000_000
    """In this process: what can be printed on a small machine."""


class Gathering:
    """Rows within the limits."""

    def __init__(self, limits: Limits) -> None:
        self._limits = limits
        self._ends_seconds = time.monotonic() + limits.seconds
        self.rows: list[tuple[Any, ...]] = []
        self.size_bytes = 0

    @property
    def seconds_left(self) -> float:
        """How long the SELECT may still take."""
        return self._ends_seconds - time.monotonic()

    def add(self, row: tuple[Any, ...]) -> None:
        """Takes one row.

        Raises:
            DatabaseError: It is one too many, or too large.
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
        """Says that the answer is too large."""
        raise DatabaseError(
            f"the answer takes more than {self._limits.size_bytes / 1e6:g} MB; ask for fewer rows"
            " or shorter values"
        )

    def refuse_time(self) -> NoReturn:
        """Says that the answer takes too long."""
        raise DatabaseError(
            f"no answer within {self._limits.seconds:g} s; ask for less, or query a snapshot"
            " (castline snapshot), which blocks nobody"
        )
