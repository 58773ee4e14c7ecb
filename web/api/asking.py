"""Questions about characters in all episodes."""

from typing import Annotated

from fastapi import APIRouter, Query

from web.api import schemas
from web.api.conditional import ConditionalRoute
from web.api.schemas import Seconds
from web.serving import Asked

router = APIRouter(tags=["questions"], route_class=ConditionalRoute)

EpisodeParameter = Annotated[
    int | None, Query(ge=1, le=2**31 - 1, description="Only in this episode.")
]
SeriesParameter = Annotated[str | None, Query(max_length=200)]
SeasonParameter = Annotated[int | None, Query(ge=0, le=100_000)]
LimitParameter = Annotated[int, Query(ge=1, le=500)]


@router.get("/labels")
def labels(library: Asked) -> list[schemas.Label]:
    """List the known characters."""
    return [schemas.Label.of(row) for row in library.labels()]


@router.get("/matches")
def matches(
    library: Asked,
    expression: Annotated[str, Query(min_length=1, max_length=1000, examples=["moe & !homer"])],
    episode: EpisodeParameter = None,
    season: SeasonParameter = None,
    series: SeriesParameter = None,
    min_seconds: Annotated[Seconds, Query()] = 0,
    gap: Annotated[Seconds, Query()] = 0,
    after: Annotated[str | None, Query(max_length=8192)] = None,
    limit: LimitParameter = 100,
) -> schemas.Matches:
    """Say when an expression holds."""
    found = library.when(
        expression,
        episode=episode,
        season=season,
        series=series,
        min_seconds=min_seconds,
        gap=gap,
        after=after,
        limit=limit,
    )
    items = [schemas.Match.of(row) for row in found]
    return schemas.Matches(items=items, expression=found.expression, next=found.next)


@router.get("/screen-time")
def screen_time(
    library: Asked,
    episode: EpisodeParameter = None,
    season: SeasonParameter = None,
    series: SeriesParameter = None,
    limit: LimitParameter = 100,
) -> list[schemas.ScreenTime]:
    """Say how long each character is on screen, the longest first."""
    found = library.screen_time(episode=episode, season=season, series=series, limit=limit)
    return [schemas.ScreenTime.of(row) for row in found]


@router.get("/together")
def together(
    library: Asked,
    label: Annotated[str | None, Query(max_length=200)] = None,
    episode: EpisodeParameter = None,
    limit: LimitParameter = 100,
) -> list[schemas.SharedTime]:
    """Say which characters share the screen, the longest first."""
    found = library.together(label, episode=episode, limit=limit)
    return [schemas.SharedTime.of(row) for row in found]
