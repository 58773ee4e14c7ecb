"""The queue: files that are read, runs, and the workers."""

from typing import Annotated

from fastapi import APIRouter, Query, Request
from starlette.responses import RedirectResponse, Response

from web.api.queue import RunId
from web.pages.rendering import page
from web.serving import Asked, RateLimited, Served

router = APIRouter()

ENDED = 25
"""Ended runs on a page."""


@router.get("/queue")
def queue(
    request: Request,
    serving: Served,
    before: Annotated[int | None, Query(ge=1, le=2**31 - 1)] = None,
) -> Response:
    """Show the queue as it is now."""
    library = serving.library
    return page(
        request,
        "queue.html",
        runs=library.run_page(before=before, limit=ENDED),
        workers=library.workers(),
        intakes=[one for one in serving.intakes.shown() if one.is_open or one.refused][:10],
        absent=library.absent_models(),
        before=before,
    )


@router.post("/queue/{run_id}/cancel", dependencies=[RateLimited])
def cancel(library: Asked, run_id: RunId) -> Response:
    """Stop a run."""
    library.cancel(run_id)
    return RedirectResponse("/queue", 303)


@router.post("/queue/{run_id}/retry", dependencies=[RateLimited])
def retry(library: Asked, run_id: RunId) -> Response:
    """Queue the unfinished work of a run again."""
    library.retry(run_id)
    return RedirectResponse("/queue", 303)
