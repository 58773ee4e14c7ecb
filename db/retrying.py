"""Retry work after a lost connection, a restart of the database server, or a lock timeout."""

import logging
import time
from collections.abc import Callable
from functools import wraps
from typing import ParamSpec, TypeVar

from db.errors import DatabaseBusyError, DatabaseCutError

FIRST_PAUSE_SECONDS = 0.1
"""A connection that was lost by chance is replaced immediately."""

LONGEST_PAUSE_SECONDS = 5.0
"""Maximum of the exponential back-off: a recovering server is not queried more often than it can
refuse."""

TOLD_AFTER_SECONDS = 10.0
"""A user who sees work stall wants to know why; shorter waits are rare."""

Given = ParamSpec("Given")
Answer = TypeVar("Answer")

log = logging.getLogger(__name__)


def retry_on_disconnect(work: Callable[Given, Answer]) -> Callable[Given, Answer]:
    """Retry a function when its connection was lost or a lock was not acquired.

    With exponential back-off, for as long as the database's `Patience` lasts. The function's
    transactions must be idempotent, since nobody can know whether an interrupted commit took
    effect. Claims are: a repeated write with the same token is refused.

        @retry_on_disconnect
        def give_back(database, claim): ...

    Raises:
        DatabaseCutError: The server did not return in time.
        DatabaseBusyError: The lock was not released in time.
    """
    return _retry_on(DatabaseCutError, work)


def retry_on_lock(work: Callable[Given, Answer]) -> Callable[Given, Answer]:
    """Like `retry_on_disconnect`, but a missing server is reported immediately."""
    return _retry_on(DatabaseBusyError, work)


def _retry_on(
    kind: type[DatabaseCutError], work: Callable[Given, Answer]
) -> Callable[Given, Answer]:
    @wraps(work)
    def patient(*args: Given.args, **kwargs: Given.kwargs) -> Answer:
        began_seconds = time.monotonic()
        pause_seconds, told = FIRST_PAUSE_SECONDS, False
        while True:
            try:
                return work(*args, **kwargs)
            except kind as error:
                now = time.monotonic()
                if now + pause_seconds > error.patience.until(began_seconds):
                    raise
                if not told and now > began_seconds + TOLD_AFTER_SECONDS:
                    log.warning("%s; waiting for it", error)
                    told = True
            time.sleep(pause_seconds)
            pause_seconds = min(2 * pause_seconds, LONGEST_PAUSE_SECONDS)

    return patient
