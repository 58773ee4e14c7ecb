"""Render templates: in the language of the reader, with all that came from outside escaped."""

import hashlib
from collections.abc import Mapping
from functools import cache
from http import HTTPStatus
from pathlib import Path
from typing import Any
from urllib.parse import urlencode

from fastapi import Request
from jinja2 import Environment, FileSystemLoader, StrictUndefined
from markupsafe import Markup
from starlette.requests import HTTPConnection
from starlette.responses import HTMLResponse, Response

from castline import CastlineError, Library
from castline.text import format_clock, format_time, visible
from web.languages import COOKIE, Language, language_of, languages
from web.problems import status_of

HERE = Path(__file__).parents[1]

YEAR_SECONDS = 365 * 24 * 3600


def page(
    request: HTTPConnection, template: str, status: HTTPStatus = HTTPStatus.OK, **values: Any
) -> Response:
    """Return a page from a template.

    Args:
        request: The request, for its language and its address.
        template: Name of the template.
        status: Status of the answer.
        values: Values for the template.
    """
    language = language_of(request)
    text = (
        environment(language)
        .get_template(template)
        .render(request=request, path=request.url.path, languages=languages(), **values)
    )
    answer = HTMLResponse(text, status, headers={"content-language": language.code})
    answer.headers["vary"] = "Accept-Language, Cookie"
    if request.query_params.get("lang") == language.code:
        answer.set_cookie(
            COOKIE, language.code, max_age=YEAR_SECONDS, httponly=True, samesite="strict"
        )
    return answer


def error_page(request: HTTPConnection, status: HTTPStatus, text: str) -> Response:
    """Return a page that says what went wrong."""
    return page(request, "error.html", status, failed=status, text=text)


def page_of_error(request: Request, error: CastlineError) -> Response:
    """Return a page about an expected error."""
    return error_page(request, status_of(error), str(error))


@cache
def environment(language: Language) -> Environment:
    """Return the templates in a language."""
    made = Environment(
        loader=FileSystemLoader(HERE / "templates"),
        autoescape=True,
        undefined=StrictUndefined,
        extensions=["jinja2.ext.i18n"],
        finalize=_without_controls,
        trim_blocks=True,
        lstrip_blocks=True,
    )
    made.install_gettext_callables(  # type: ignore[attr-defined] # of the extension
        language.gettext, language.ngettext, newstyle=True
    )
    made.globals |= {"language": language, "static": static}
    made.filters |= {
        "clock": format_clock,
        "exact": format_time,
        "query": query,
        "share": share,
        "with_language": with_language,
    }
    return made


def _without_controls(value: Any) -> str:
    """Show control characters of foreign text as escapes; our own markup has none."""
    return value if isinstance(value, Markup) else visible(str(value))


@cache
def static(name: str) -> str:
    """Return the address of a static file, which changes with its content."""
    content = (HERE / "static" / name).read_bytes()
    return f"/static/{name}?v={hashlib.sha256(content).hexdigest()[:12]}"


def query(values: dict[str, Any]) -> str:
    """Return a query string of the values that are not empty."""
    return urlencode({name: value for name, value in values.items() if value not in (None, "")})


def with_language(parameters: Mapping[str, str], code: str) -> str:
    """Return a query string that asks for the same in another language."""
    return urlencode({**parameters, "lang": code})


def share(part: float, whole: float) -> str:
    """Return a part of a whole as a percentage for SVG."""
    return f"{100 * part / whole:.4f}%"


def names_of(library: Library) -> dict[str, str]:
    """Return the display name of each known label."""
    return {item.label: visible(item.name) for item in library.labels()}
