"""Work that outlives a cut connection, a restart of the database server, and others' locks."""

import logging
import time
from collections.abc import Callable
from functools import wraps
from typing import ParamSpec, TypeVar

from db.errors import DatabaseBusyError, DatabaseCutError

FIRST_PAUSE_SECONDS = 0.1
"""A connection that was cut by chance is replaced at once."""

LONGEST_PAUSE_SECONDS = 5.0
"""Of pauses that double: a server that recovers is not asked more often than it can refuse."""

TOLD_AFTER_SECONDS = 10.0
"""A person who sees work stand still wants to know why; a shorter wait is seldom seen."""

Given = ParamSpec("Given")
Answer = TypeVar("Answer")

log = logging.getLogger(__name__)


def retry_on_disconnect(work: Callable[Given, Answer]) -> Callable[Given, Answer]:
    """Lets a function begin anew when its connection was cut or a lock was taken.

    With growing pauses, for as long as the database's `Patience` lasts. For functions whose
    transactions do no harm twice, since nobody can know whether a commit that was cut off took
    place. Claims are such: what their tokens did once is refused when repeated.

        @retry_on_disconnect
        def give_back(database, claim): ...

    Raises:
        DatabaseCutError: The server did not come back in time.
        DatabaseBusyError: The lock was not let go in time.
    """
    return _retry_on(DatabaseCutError, work)


def retry_on_lock(work: Callable[Given, Answer]) -> Callable[Given, Answer]:
    """As `retry_on_disconnect`, but a server that is not there is an error at once."""
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
