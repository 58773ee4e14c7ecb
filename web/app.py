"""The ASGI application: the API, the pages, and what stands around them."""

import logging
import re
from http import HTTPStatus
from importlib.metadata import version as installed_version
from pathlib import Path
from typing import Any

from fastapi import FastAPI, Request
from fastapi.exceptions import RequestValidationError
from fastapi.staticfiles import StaticFiles
from starlette.exceptions import HTTPException
from starlette.middleware.gzip import GZipMiddleware
from starlette.requests import HTTPConnection
from starlette.responses import Response
from starlette.types import ASGIApp

from castline import CastlineError, Library
from web.access import Access
from web.api import asking, corrections, episodes, queue
from web.api.schemas import Problem
from web.guard import Guard
from web.media import YEAR_SECONDS
from web.pages import browsing, manual, reviewing, searching, watching
from web.pages import episode as episode_page
from web.pages.rendering import error_page, page_of_error
from web.problems import MEDIA_TYPE, problem, problem_of, wants_page
from web.serving import Serving

logger = logging.getLogger(__name__)

HERE = Path(__file__).parent

API = "/api/v1"


def make_app(library: Library, access: Access) -> ASGIApp:
    """Return the application over a library."""
    app = Described(
        title="Castline",
        summary="Who is on screen, when.",
        version=installed_version("castline"),
        openapi_url=f"{API}/openapi.json",
        docs_url=None,
        redoc_url=None,
    )
    app.state.serving = Serving.of(library)
    for room in (episodes, asking, corrections, queue):
        app.include_router(room.router, prefix=API, responses=PROBLEMS)
    for room in (browsing, episode_page, reviewing, searching, watching, manual):
        app.include_router(room.router, include_in_schema=False)
    app.mount("/static", Static(directory=HERE / "static"))
    app.add_exception_handler(CastlineError, _expected)
    app.add_exception_handler(RequestValidationError, _invalid)
    app.add_exception_handler(HTTPException, _http_error)
    app.add_exception_handler(Exception, _unexpected)
    return Guard(GZipMiddleware(app, compresslevel=6), access, _refused)


PROBLEMS: dict[int | str, dict[str, Any]] = {
    status.value: {"description": status.phrase, "model": Problem}
    for status in (
        HTTPStatus.BAD_REQUEST,
        HTTPStatus.UNAUTHORIZED,
        HTTPStatus.FORBIDDEN,
        HTTPStatus.NOT_FOUND,
        HTTPStatus.REQUEST_TIMEOUT,
        HTTPStatus.REQUEST_ENTITY_TOO_LARGE,
        HTTPStatus.MISDIRECTED_REQUEST,
        HTTPStatus.UNPROCESSABLE_ENTITY,
        HTTPStatus.TOO_MANY_REQUESTS,
        HTTPStatus.SERVICE_UNAVAILABLE,
    )
}
"""The errors that every operation may answer with."""


class Described(FastAPI):
    """An API that describes its errors as the problems that they are."""

    def openapi(self) -> dict[str, Any]:
        """Return the description."""
        if self.openapi_schema is None:
            described = super().openapi()
            for operations in described["paths"].values():
                for operation in operations.values():
                    for status, answer in operation["responses"].items():
                        if int(status) in PROBLEMS:
                            answer["content"] = {MEDIA_TYPE: answer["content"]["application/json"]}
        assert self.openapi_schema is not None
        return self.openapi_schema


class Static(StaticFiles):
    """Styles and scripts; their addresses change with their content."""

    def file_response(self, *arguments: Any, **options: Any) -> Response:
        """Return a file that is never asked for again."""
        answer = super().file_response(*arguments, **options)
        answer.headers["cache-control"] = f"public, max-age={YEAR_SECONDS}, immutable"
        return answer


def _refused(connection: HTTPConnection, status: HTTPStatus, text: str) -> Response:
    if wants_page(connection):
        return error_page(connection, status, text)
    return problem(status, text)


async def _expected(request: Request, error: Exception) -> Response:
    assert isinstance(error, CastlineError)
    if wants_page(request):
        return page_of_error(request, error)
    return problem_of(error)


async def _invalid(request: Request, error: Exception) -> Response:
    assert isinstance(error, RequestValidationError)
    status = HTTPStatus.UNPROCESSABLE_ENTITY
    errors = [
        {"where": ".".join(map(str, item["loc"])), "what": item["msg"]} for item in error.errors()
    ]
    lines = [f"{item['where']}: {item['what']}" for item in errors]
    if wants_page(request):
        return error_page(request, status, "; ".join(lines))
    return problem(status, "; ".join(lines), errors=errors)


async def _http_error(request: Request, error: Exception) -> Response:
    assert isinstance(error, HTTPException)
    answer = _refused(request, HTTPStatus(error.status_code), str(error.detail))
    answer.headers.update(error.headers or {})
    if error.status_code == HTTPStatus.METHOD_NOT_ALLOWED and (methods := _methods_at(request)):
        answer.headers["allow"] = ", ".join(sorted(methods))
    return answer


def _methods_at(request: Request) -> set[str]:
    """Return the methods of all routes of a path; the framework tells those of the first."""
    described = request.app.openapi()["paths"]
    path = request.url.path
    return {
        method.upper()
        for template, operations in described.items()
        if re.fullmatch(re.sub(r"\{\w+\}", "[^/]+", template), path)
        for method in operations
    }


async def _unexpected(request: Request, error: Exception) -> Response:
    logger.error("%s %s failed: %r", request.method, request.url.path, error)
    text = "the server failed; its log says more"
    return _refused(request, HTTPStatus.INTERNAL_SERVER_ERROR, text)
