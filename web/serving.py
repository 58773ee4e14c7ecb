"""What all handlers share: the library and the state of this process."""

from collections.abc import Hashable
from dataclasses import dataclass
from typing import Annotated

from fastapi import Depends, Header, Request

from castline import Library
from web.intake import Intake, Intakes
from web.limits import Idempotency, RateLimit
from web.watching import Watcher


@dataclass(frozen=True)
class Serving:
    """The state of one server."""

    library: Library
    intakes: Intakes
    watcher: Watcher
    rate: RateLimit
    keys: Idempotency[Intake]

    @classmethod
    def of(cls, library: Library) -> "Serving":
        """Return the state of a new server of a library."""
        intakes = Intakes(library)

        def look() -> Hashable:
            reading = tuple((one.id, one.state, one.reading) for one in intakes.shown())
            return library.activity(), reading

        return cls(library, intakes, Watcher(look), RateLimit(), Idempotency())


def _serving(request: Request) -> Serving:
    serving: Serving = request.app.state.serving
    return serving


def _library(request: Request) -> Library:
    return _serving(request).library


def _limited(request: Request) -> None:
    _serving(request).rate.take()


Served = Annotated[Serving, Depends(_serving)]
"""The state of this server, as a parameter of a handler."""

Asked = Annotated[Library, Depends(_library)]
"""The library, as a parameter of a handler."""

RateLimited = Depends(_limited)
"""A dependency of handlers that start work."""

IdempotencyKey = Annotated[
    str | None,
    Header(
        min_length=1,
        max_length=200,
        description="The same key starts the same work only once.",
    ),
]
"""The header Idempotency-Key."""
