"""Entity tags on all answers of the API that only read."""

import hashlib
from collections.abc import Callable, Coroutine
from typing import Any

from fastapi import Request, Response
from fastapi.routing import APIRoute

from web.media import is_known, not_modified


class ConditionalRoute(APIRoute):
    """A route whose answers carry an entity tag; a client that has this version gets status 304."""

    def get_route_handler(self) -> Callable[[Request], Coroutine[Any, Any, Response]]:
        """Return the handler of this route."""
        handler = super().get_route_handler()

        async def conditional(request: Request) -> Response:
            answer = await handler(request)
            content = getattr(answer, "body", b"")
            if request.method != "GET" or answer.status_code != 200 or not content:
                return answer
            answer.headers.setdefault("etag", f'W/"{hashlib.sha256(content).hexdigest()[:32]}"')
            answer.headers.setdefault("cache-control", "private, no-cache")
            if is_known(answer.headers["etag"], request.headers.get("if-none-match", "")):
                return not_modified(answer)
            return answer

        return conditional
