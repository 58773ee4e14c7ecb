"""Review: the answers of an episode that are most worth a look, one after the other."""

from itertools import islice
from typing import Annotated

from fastapi import APIRouter, Path, Query, Request
from starlette.responses import RedirectResponse, Response

from castline import CastlineError, Library
from castline.browsing.values import CastMember
from castline.corrections.values import Correction
from web.api.corrections import judge
from web.api.episodes import EpisodeId
from web.pages.rendering import names_of, page, page_of_error, query
from web.pages.verdicts import Judgement
from web.serving import Asked, RateLimited

router = APIRouter()

EPISODES = 200
"""Episodes to choose from: the newest; any other is reached from its own page."""

CHOICES = 9
"""Characters with a key of their own: those that are on screen longest."""

Skipped = Annotated[int, Query(ge=0, le=100_000)]


@router.get("/review")
def review(
    request: Request,
    library: Asked,
    episode: Annotated[int | None, Query(ge=1, le=2**31 - 1)] = None,
    skip: Skipped = 0,
    said: Annotated[str, Query(max_length=32, pattern="^[0-9a-f]*$")] = "",
) -> Response:
    """Show the first doubt that was neither judged nor skipped."""
    try:
        episodes = library.browse(order="newest", state="done", limit=EPISODES)
        chosen = episode or (episodes[0].episode.id if episodes else None)
        found = None if chosen is None else library.episode(chosen)
        doubts = library.review(chosen, limit=skip + 1) if chosen is not None else ()
    except CastlineError as error:
        return page_of_error(request, error)
    doubt = doubts[skip] if len(doubts) > skip else None
    return page(
        request,
        "review.html",
        episodes=episodes,
        found=found,
        doubt=doubt,
        skip=skip,
        said=_said(library, chosen, said),
        choices=_choices(found.browsed.cast, doubt.label) if found and doubt else (),
        names=names_of(library),
    )


def _choices(cast: tuple[CastMember, ...], label: str) -> tuple[str, ...]:
    others = (member.label for member in cast if member.label != label)
    return tuple(islice(others, CHOICES))


def _said(library: Library, episode_id: int | None, key: str) -> Correction | None:
    if episode_id is None or not key:
        return None
    latest = library.corrections(episode_id, limit=CHOICES)
    return next((item for item in latest if item.key == key and item.stands), None)


@router.post("/review/{episode_id}", dependencies=[RateLimited])
def correct(
    library: Asked, episode_id: EpisodeId, judgement: Judgement, skip: Skipped = 0
) -> Response:
    """Record a verdict, and show the next doubt."""
    made = judge(library, episode_id, judgement)
    said = made.items[-1].key if made.items else ""
    wanted = {"episode": episode_id, "skip": skip or None, "said": said}
    return RedirectResponse(f"/review?{query(wanted)}", 303)


@router.post("/review/{episode_id}/undo/{key}", dependencies=[RateLimited])
def undo(
    library: Asked,
    episode_id: EpisodeId,
    key: Annotated[str, Path(min_length=4, max_length=32, pattern="^[0-9a-f]+$")],
    skip: Skipped = 0,
) -> Response:
    """Undo a verdict, so that its doubt comes again."""
    library.undo_corrections([key])
    wanted = {"episode": episode_id, "skip": skip or None}
    return RedirectResponse(f"/review?{query(wanted)}", 303)
