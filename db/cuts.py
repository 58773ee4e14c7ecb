"""Work that outlives a cut connection and a restart of the database server."""

import time
from collections.abc import Callable
from functools import wraps
from typing import ParamSpec, TypeVar

from db.errors import DatabaseCutError

FIRST_PAUSE_SECONDS = 0.1
"""A connection that was cut by chance is replaced at once."""

LONGEST_PAUSE_SECONDS = 5.0
"""Of pauses that double: a server that recovers is not asked more often than it can refuse."""

PATIENCE_SECONDS = 120.0
"""A restart with recovery takes seconds, a switch to a standby a minute. Who still waits then is
told; the claims end with their leases, and others go on."""

Given = ParamSpec("Given")
Answer = TypeVar("Answer")


def outliving_cuts(work: Callable[Given, Answer]) -> Callable[Given, Answer]:
    """Lets a function begin anew when its connection was cut, with growing pauses.

    For functions whose transactions do no harm twice, since nobody can know whether a commit that
    was cut off took place. Claims are such: what their tokens did once is refused when repeated.

        @outliving_cuts
        def give_back(database, claim): ...

    Raises:
        DatabaseCutError: The server did not come back within PATIENCE_SECONDS.
    """

    @wraps(work)
    def patient(*args: Given.args, **kwargs: Given.kwargs) -> Answer:
        until_seconds = time.monotonic() + PATIENCE_SECONDS
        pause_seconds = FIRST_PAUSE_SECONDS
        while True:
            try:
                return work(*args, **kwargs)
            except DatabaseCutError:
                if time.monotonic() + pause_seconds > until_seconds:
                    raise
            time.sleep(pause_seconds)
            pause_seconds = min(2 * pause_seconds, LONGEST_PAUSE_SECONDS)

    return patient
