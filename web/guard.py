"""The outermost layer: it refuses what may not come in, and sets what every answer carries."""

import asyncio
from collections.abc import Awaitable, Callable
from dataclasses import dataclass
from http import HTTPStatus
from urllib.parse import parse_qsl, urlencode

from starlette.datastructures import Headers, MutableHeaders
from starlette.exceptions import HTTPException
from starlette.requests import HTTPConnection
from starlette.responses import RedirectResponse, Response
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from web.access import COOKIE, COOKIE_SECONDS, SAFE_METHODS, Access
from web.problems import problem

TOKEN_PARAMETER = "token"  # noqa: S105 - a parameter's name
"""Parameter of the first link."""

MOST_BODY_BYTES = 64 * 1024
"""Largest body of a request that is not an upload: a form or a document of some fields."""

BODY_SECONDS = 20.0
"""Longest time that such a body may take; it fits in a few packets."""

HEADERS = {
    "content-security-policy": (
        "default-src 'none'; script-src 'self'; style-src 'self'; img-src 'self'; media-src 'self';"
        " connect-src 'self'; form-action 'self'; base-uri 'none'; frame-ancestors 'none'"
    ),
    "cross-origin-opener-policy": "same-origin",
    "cross-origin-resource-policy": "same-origin",
    "permissions-policy": "camera=(), geolocation=(), microphone=()",
    "referrer-policy": "no-referrer",
    "x-content-type-options": "nosniff",
    "x-frame-options": "DENY",
}
"""Headers of every answer."""

Refused = Callable[[HTTPConnection, HTTPStatus, str], Response]


@dataclass(frozen=True)
class Guard:
    """An ASGI application around another one."""

    app: ASGIApp
    access: Access
    refused: Refused = lambda _, status, text: problem(status, text)
    """Makes the answer to a request that is refused."""

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Answer one request."""
        if scope["type"] != "http":
            await self.app(scope, receive, send)
            return
        connection = HTTPConnection(scope)
        send = _with_headers(send)
        answer = self._first_link(connection) or self._refusal(connection)
        if answer is not None:
            await answer(scope, receive, send)
            return
        await self.app(scope, _limited(receive, connection.headers), send)

    def _refusal(self, connection: HTTPConnection) -> Response | None:
        method = connection.scope["method"]
        cookie = connection.cookies.get(COOKIE, "")
        found = self.access.refuse(method, connection.url.path, connection.headers, cookie)
        if found is None:
            return None
        answer = self.refused(connection, found.status, found.text)
        if found.status is HTTPStatus.UNAUTHORIZED:
            answer.headers["www-authenticate"] = 'Bearer realm="castline"'
        return answer

    def _first_link(self, connection: HTTPConnection) -> Response | None:
        """Exchange the token of the first link for a cookie, so that no address keeps it."""
        url, access = connection.url, self.access
        given = connection.query_params.get(TOKEN_PARAMETER)
        if given is None or access.token is None or connection.scope["method"] not in SAFE_METHODS:
            return None
        bearing = {**connection.headers, "authorization": f"Bearer {given}"}
        if access.refuse("GET", "/", bearing, ""):
            return None
        rest = [(name, value) for name, value in parse_qsl(url.query) if name != TOKEN_PARAMETER]
        path = "/" + url.path.lstrip("/")  # "//host" would be another site
        answer = RedirectResponse(f"{path}?{urlencode(rest)}" if rest else path, 303)
        answer.set_cookie(
            COOKIE,
            access.cookie,
            max_age=COOKIE_SECONDS,
            httponly=True,
            samesite="strict",
            secure=url.scheme == "https",
        )
        return answer


def _with_headers(send: Send) -> Send:
    async def sent(message: Message) -> None:
        if message["type"] == "http.response.start":
            headers = MutableHeaders(scope=message)
            for name, value in HEADERS.items():
                headers.setdefault(name, value)
            headers.setdefault("cache-control", "no-store")
        await send(message)

    return sent


def _limited(receive: Receive, headers: Headers) -> Receive:
    """Limit the size and the time of a request's body."""
    declared = headers.get("content-length", "0")
    received = 0
    deadline: float | None = None

    async def limited() -> Message:
        nonlocal received, deadline
        if not declared.isdecimal() or int(declared) > MOST_BODY_BYTES:
            raise _too_large()
        if is_complete():
            return await receive()  # waits for the end of the connection
        loop = asyncio.get_running_loop()
        deadline = deadline or loop.time() + BODY_SECONDS
        message = await _until(deadline, receive())
        received += len(message.get("body", b""))
        if received > MOST_BODY_BYTES:
            raise _too_large()
        if not message.get("more_body", False):
            received = -1
        return message

    def is_complete() -> bool:
        return received < 0

    return limited


async def _until(deadline: float, message: Awaitable[Message]) -> Message:
    try:
        async with asyncio.timeout_at(deadline):
            return await message
    except TimeoutError:
        text = f"the request's body took more than {BODY_SECONDS:g} s; send it faster"
        raise HTTPException(HTTPStatus.REQUEST_TIMEOUT, text) from None


def _too_large() -> HTTPException:
    text = f"the request's body is larger than {MOST_BODY_BYTES // 1024} kB; send less"
    return HTTPException(HTTPStatus.REQUEST_ENTITY_TOO_LARGE, text)
