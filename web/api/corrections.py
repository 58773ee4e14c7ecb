"""Corrections: what people say of answers."""

from typing import Annotated

from fastapi import APIRouter, Path, Query

from castline import Library
from web.api import schemas
from web.api.conditional import ConditionalRoute
from web.api.episodes import EpisodeId
from web.serving import Asked, RateLimited

router = APIRouter(tags=["corrections"], route_class=ConditionalRoute)


@router.get("/corrections")
def corrections(
    library: Asked,
    episode: Annotated[int | None, Query(ge=1, le=2**31 - 1)] = None,
    limit: Annotated[int, Query(ge=1, le=1000)] = 100,
) -> schemas.Corrections:
    """List corrections, the latest first."""
    found = library.corrections(episode, limit=limit)
    items = [schemas.Correction.of(row) for row in found]
    return schemas.Corrections(items=items, has_more=found.has_more)


@router.post("/episodes/{episode_id}/corrections", status_code=201, dependencies=[RateLimited])
def correct(
    library: Asked, episode_id: EpisodeId, correction: schemas.NewCorrection
) -> schemas.Judged:
    """Say that an answer is right, wrong, somebody else, missing, or has other borders."""
    return judge(library, episode_id, correction)


def judge(library: Library, episode_id: int, correction: schemas.NewCorrection) -> schemas.Judged:
    """Record a verdict, of the API or of a page."""
    made = library.correct(episode_id, **correction.model_dump())
    return schemas.Judged(items=[schemas.Correction.of(row) for row in made])


@router.get("/episodes/{episode_id}/doubts")
def doubts(
    library: Asked,
    episode_id: EpisodeId,
    limit: Annotated[int, Query(ge=1, le=1000)] = 50,
) -> schemas.Doubts:
    """List the answers most worth a look, which were not judged yet."""
    found = library.review(episode_id, limit=limit)
    items = [schemas.Doubt.of(row) for row in found]
    return schemas.Doubts(items=items, has_more=found.has_more)


@router.post("/corrections/{key}/undo", status_code=201, dependencies=[RateLimited])
def undo(
    library: Asked, key: Annotated[str, Path(min_length=4, max_length=32, pattern="^[0-9a-f]+$")]
) -> schemas.Judged:
    """Undo a correction; undoing an undoing restores its correction."""
    made = library.undo_corrections([key])
    return schemas.Judged(items=[schemas.Correction.of(row) for row in made])
