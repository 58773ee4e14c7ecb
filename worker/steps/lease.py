"""Renew the leases of claims during their work."""

import threading
import time
from collections.abc import Sequence
from types import TracebackType

from db.engine import Database
from db.errors import DatabaseError
from db.queue.claims import renew_claim
from db.records import Claim

RENEWALS_PER_LEASE = 4
"""Three renewals in a row may fail before healthy work is offered to others."""

LONGEST_SECONDS = 600.0
"""Classifying a few chunks takes seconds; work that takes this long hangs, and its lease may
expire."""


class LeaseKeeper:
    """Renews claims in a separate thread until the block ends, or the work takes too long.

    Args:
        database: The database of the claims.
        claims: The claims to renew.
        lease_seconds: Duration of each renewal.
        longest_seconds: After this time renewals stop; infinite where the work is watched
            otherwise, as by the decoder's parent.
    """

    def __init__(
        self,
        database: Database,
        claims: Sequence[Claim],
        lease_seconds: float,
        longest_seconds: float = LONGEST_SECONDS,
    ) -> None:
        self._database = database
        self._claims = list(claims)
        self._lease_seconds = lease_seconds
        self._longest_seconds = longest_seconds
        self._left = threading.Event()
        self._lost = threading.Event()
        self._thread = threading.Thread(target=self._renew, name="lease", daemon=True)

    @property
    def lost(self) -> bool:
        """Whether all claims are lost: cancelled, or offered to others. The work may stop."""
        return self._lost.is_set()

    def __enter__(self) -> "LeaseKeeper":
        self._thread.start()
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        self._left.set()
        self._thread.join()

    def _renew(self) -> None:
        pause_seconds = self._lease_seconds / RENEWALS_PER_LEASE
        until_seconds = time.monotonic() + self._longest_seconds
        while self._claims and time.monotonic() < until_seconds:
            if self._left.wait(pause_seconds):
                return
            self._claims = [claim for claim in self._claims if self._renewed(claim)]
        self._lost.set()

    def _renewed(self, claim: Claim) -> bool:
        # A transaction for each: locking several chunks may deadlock with the cancellation of their
        # run.
        try:
            with self._database.write() as connection:
                return renew_claim(connection, claim, self._lease_seconds)
        except DatabaseError:
            return True  # the next renewal, or the token at the end of the work, decides
