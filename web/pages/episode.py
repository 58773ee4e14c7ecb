"""An episode: its player, its timeline, and what people say of it."""

from typing import Annotated

from fastapi import APIRouter, Form, Path, Query, Request
from starlette.responses import RedirectResponse, Response

from castline import CastlineError, Library, NotFoundError
from castline.asking.values import Appearances
from web.api.corrections import judge
from web.api.episodes import EpisodeId
from web.api.schemas import Seconds
from web.pages.rendering import names_of, page, page_of_error, query
from web.pages.timeline import lanes_of, selected_of, ticks_of
from web.pages.verdicts import Judgement
from web.serving import Asked, RateLimited

router = APIRouter()

LATEST = 20
"""Corrections that an episode's page lists."""


@router.get("/episodes/{episode_id}")
def episode(
    request: Request,
    library: Asked,
    episode_id: EpisodeId,
    label: Annotated[str, Query(max_length=200)] = "",
    t: Annotated[Seconds | None, Query()] = None,
    to: Annotated[Seconds | None, Query()] = None,
    said: Annotated[str, Query(max_length=32, pattern="^[0-9a-f]*$")] = "",
) -> Response:
    """Show an episode; `t` and `to` say what to play, with `label` what to judge."""
    try:
        found = library.episode(episode_id)
        shown = _appearances(library, episode_id)
        said_of_it = library.corrections(episode_id, limit=LATEST)
    except CastlineError as error:
        return page_of_error(request, error)
    selected = selected_of(shown, label, t)
    names = names_of(library)
    return page(
        request,
        "episode.html",
        found=found,
        episode=found.episode,
        duration=found.episode.duration_seconds,
        lanes=lanes_of(shown, names, selected),
        ticks=ticks_of(found.episode.duration_seconds),
        selected=selected,
        label=label,
        t=t,
        to=to,
        names=names,
        corrections=said_of_it,
        said=next((item for item in said_of_it if item.key == said and item.stands), None),
    )


def _appearances(library: Library, episode_id: int) -> Appearances:
    """Return what is on screen; nothing before the first run ended."""
    try:
        return library.who(episode_id, places=False)
    except NotFoundError:
        return Appearances((), ())


@router.post("/episodes/{episode_id}/corrections", dependencies=[RateLimited])
def correct(library: Asked, episode_id: EpisodeId, judgement: Judgement) -> Response:
    """Record a verdict, and show the episode again where it was."""
    made = judge(library, episode_id, judgement)
    said = made.items[-1] if made.items else None
    places = (judgement.start, judgement.at, judgement.from_)
    wanted = {
        "label": said.other or said.label if said else judgement.label,
        "t": next((place for place in places if place is not None), None),
        "to": judgement.to,
        "said": said.key if said else "",
    }
    return RedirectResponse(f"/episodes/{episode_id}?{query(wanted)}", 303)


@router.post("/episodes/{episode_id}/corrections/{key}/undo", dependencies=[RateLimited])
def undo(
    library: Asked,
    episode_id: EpisodeId,
    key: Annotated[str, Path(min_length=4, max_length=32, pattern="^[0-9a-f]+$")],
    label: Annotated[str, Form(max_length=200)] = "",
    t: Annotated[Seconds | None, Form()] = None,
) -> Response:
    """Undo a correction, and show the episode again where it was."""
    library.undo_corrections([key])
    return RedirectResponse(f"/episodes/{episode_id}?{query({'label': label, 't': t})}", 303)
