"""The library: its episodes, and how to add one."""

from typing import Annotated, get_args

from fastapi import APIRouter, Form, Query, Request
from starlette.responses import RedirectResponse, Response

from castline import CastlineError
from web.api.episodes import Order, State
from web.pages.rendering import names_of, page, page_of_error
from web.serving import Asked, RateLimited, Served

router = APIRouter()

EPISODES = 24
"""Episodes on a page: they fill whole rows of two, three and four."""

Text = Annotated[str, Query(max_length=200)]


@router.get("/")
def library(
    request: Request,
    library: Asked,
    text: Text = "",
    series: Text = "",
    season: Text = "",
    label: Text = "",
    state: Text = "",
    order: Text = "called",
    after: Annotated[str, Query(max_length=8192)] = "",
) -> Response:
    """Show the episodes."""
    wanted = {
        "text": text,
        "series": series,
        "season": season,
        "label": label,
        "state": state,
        "order": order,
    }
    try:
        found = library.browse(
            text=text,
            series=series or None,
            season=int(season) if season.isascii() and season.isdecimal() else None,
            label=label or None,
            state=state or None,
            order=order,
            after=after or None,
            limit=EPISODES,
        )
        seasons = library.series()
    except CastlineError as error:
        return page_of_error(request, error)
    return page(
        request,
        "library.html",
        found=found,
        wanted=wanted,
        seasons=seasons,
        names=names_of(library),
        states=get_args(State),
        orders=get_args(Order),
        is_filtered=any(wanted[name] for name in wanted if name != "order"),
        has_roots=bool(library.settings.media_roots or library.settings.media_urls),
    )


@router.post("/intakes", dependencies=[RateLimited])
def enqueue(serving: Served, path: Annotated[str, Form(min_length=1, max_length=4096)]) -> Response:
    """Enqueue a file or a folder, and show the queue."""
    serving.intakes.add(path.strip())
    return RedirectResponse("/queue", 303)
