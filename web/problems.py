"""Errors as problem details (RFC 9457) for programs, and as a page for people."""

from http import HTTPStatus
from typing import Any

from starlette.requests import HTTPConnection
from starlette.responses import JSONResponse, Response

from castline.errors import (
    BrokerError,
    CastlineError,
    DatabaseError,
    ExpressionError,
    MediaError,
    ModelError,
    NotFoundError,
)
from castline.text import visible

MEDIA_TYPE = "application/problem+json"

_STATUSES: tuple[tuple[type[CastlineError], HTTPStatus], ...] = (
    (NotFoundError, HTTPStatus.NOT_FOUND),
    (ExpressionError, HTTPStatus.UNPROCESSABLE_ENTITY),
    (DatabaseError, HTTPStatus.SERVICE_UNAVAILABLE),
    (BrokerError, HTTPStatus.SERVICE_UNAVAILABLE),
    (MediaError, HTTPStatus.UNPROCESSABLE_ENTITY),
    (ModelError, HTTPStatus.UNPROCESSABLE_ENTITY),
    (CastlineError, HTTPStatus.UNPROCESSABLE_ENTITY),
)
"""The status of each kind of error; the first that fits counts."""


def status_of(error: CastlineError) -> HTTPStatus:
    """Return the status by which an expected error is answered."""
    return next(status for kind, status in _STATUSES if isinstance(error, kind))


def problem(status: HTTPStatus, detail: str, **members: Any) -> Response:
    """Return an error as problem details.

    Args:
        status: Status of the answer.
        detail: One line that says what, where and what to do.
        members: More members of the document.
    """
    body = {"type": "about:blank", "title": status.phrase, "status": status.value}
    return JSONResponse(
        body | {"detail": visible(detail)} | members, status.value, media_type=MEDIA_TYPE
    )


def problem_of(error: CastlineError) -> Response:
    """Return an expected error as problem details."""
    members: dict[str, Any] = {}
    if isinstance(error, ExpressionError) and error.marked is not None:
        members["position"] = error.marked[1]
    return problem(status_of(error), str(error), **members)


def wants_page(connection: HTTPConnection) -> bool:
    """Tell whether a person's browser asked, and not a program."""
    if connection.url.path.startswith("/api/"):
        return False
    return "text/html" in connection.headers.get("accept", "")
