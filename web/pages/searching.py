"""Search: when an expression holds, in all episodes."""

from typing import Annotated

from fastapi import APIRouter, Query, Request
from starlette.responses import Response

from castline import CastlineError, ExpressionError
from castline.asking.values import Matches
from web.pages.rendering import names_of, page
from web.problems import status_of
from web.serving import Asked

router = APIRouter()

RANGES = 60
"""Ranges on a page of answers."""


@router.get("/search")
def search(
    request: Request,
    library: Asked,
    q: Annotated[str, Query(max_length=1000)] = "",
    min_seconds: Annotated[str, Query(max_length=20)] = "",
    after: Annotated[str, Query(max_length=8192)] = "",
) -> Response:
    """Show when an expression holds; a mistake in it is shown where it is."""
    found: Matches | None = None
    mistake: CastlineError | None = None
    if q.strip():
        try:
            found = library.when(q, min_seconds=min_seconds or 0, after=after or None, limit=RANGES)
        except CastlineError as error:
            mistake = error
    marked = mistake.marked if isinstance(mistake, ExpressionError) else None
    return page(
        request,
        "search.html",
        **({"status": status_of(mistake)} if mistake else {}),
        q=q,
        min_seconds=min_seconds,
        found=found,
        mistake=mistake,
        caret=marked[1] if marked else None,
        names=names_of(library),
    )
