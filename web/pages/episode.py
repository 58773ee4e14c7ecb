"""An episode: its player, its timeline, and what people say of it."""

from typing import Annotated, Any, Literal
from urllib.parse import urlencode

from fastapi import APIRouter, Form, Path, Query, Request
from fastapi.exceptions import RequestValidationError
from pydantic import ValidationError
from starlette.responses import RedirectResponse, Response

from castline import CastlineError, Library, NotFoundError
from castline.asking.values import Appearances
from web.api.corrections import judge
from web.api.episodes import EpisodeId
from web.api.schemas import NewCorrection, Seconds
from web.pages.rendering import names_of, page, page_of_error
from web.pages.timeline import lanes_of, selected_of, ticks_of
from web.serving import Asked, RateLimited

router = APIRouter()

Verdict = Literal["right", "wrong", "is", "trim", "add"]

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
def correct(
    library: Asked,
    episode_id: EpisodeId,
    verdict: Annotated[Verdict, Form()],
    label: Annotated[str, Form(max_length=200)] = "",
    at: Annotated[Seconds | None, Form()] = None,
    from_: Annotated[Seconds | None, Form(alias="from")] = None,
    to: Annotated[Seconds | None, Form()] = None,
    other: Annotated[str, Form(max_length=200)] = "",
    new: Annotated[bool, Form()] = False,
    start: Annotated[Seconds | None, Form()] = None,
    end: Annotated[Seconds | None, Form()] = None,
) -> Response:
    """Record a verdict, and show the episode again where it was."""
    is_trim = verdict == "trim"
    judged = _verdict(
        {
            "label": None if verdict == "add" else label,
            "at": at if is_trim else None,
            "from": None if is_trim else from_,
            "to": None if is_trim else to,
            "right": verdict == "right",
            "wrong": verdict == "wrong",
            "is": other if verdict == "is" else None,
            "add": other if verdict == "add" else None,
            "start": start if is_trim else None,
            "end": end if is_trim else None,
            "new": new,
        }
    )
    made = judge(library, episode_id, judged)
    said = made.items[-1] if made.items else None
    shown = said.other or said.label if said else label
    place = start if is_trim and start is not None else from_
    query = {"label": shown, "t": place, "to": to, "said": said.key if said else ""}
    kept = urlencode({name: value for name, value in query.items() if value not in (None, "")})
    return RedirectResponse(f"/episodes/{episode_id}?{kept}", 303)


def _verdict(values: dict[str, Any]) -> NewCorrection:
    try:
        return NewCorrection.model_validate(values)
    except ValidationError as error:
        raise RequestValidationError(error.errors()) from error


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
    query = {"label": label, "t": t}
    kept = urlencode({name: value for name, value in query.items() if value not in (None, "")})
    return RedirectResponse(f"/episodes/{episode_id}?{kept}", 303)
