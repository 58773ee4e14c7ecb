"""Episodes: pages of them, their timelines, pictures, videos and exports."""

import tempfile
from pathlib import Path as FilePath
from typing import Annotated, Any, Literal, TypeAlias

from fastapi import APIRouter, Path, Query
from starlette.background import BackgroundTask
from starlette.responses import FileResponse, Response

from castline import Library
from web.api import schemas
from web.api.conditional import ConditionalRoute
from web.api.schemas import Seconds
from web.media import VideoResponse, jpeg_response
from web.serving import Asked

router = APIRouter(tags=["episodes"], route_class=ConditionalRoute)

EpisodeId = Annotated[int, Path(ge=1, le=2**31 - 1, description="Number of the episode.")]

State = Literal["queued", "running", "done", "partial", "failed", "cancelled"]
Order = Literal["called", "name", "newest", "longest"]
ExportFormat = Literal[
    "json", "csv", "vtt", "srt", "chapters", "matroska", "rttm", "eaf", "otio", "edl", "fcpxml",
    "html", "coco", "iiif", "graphml",
]  # fmt: skip


@router.get("/episodes")
def episodes(
    library: Asked,
    text: Annotated[str, Query(max_length=200)] = "",
    series: Annotated[str | None, Query(max_length=200)] = None,
    season: Annotated[int | None, Query(ge=0, le=100_000)] = None,
    label: Annotated[str | None, Query(max_length=200)] = None,
    state: State | None = None,
    order: Order = "called",
    after: Annotated[str | None, Query(max_length=8192)] = None,
    limit: Annotated[int, Query(ge=1, le=200)] = 50,
) -> schemas.Episodes:
    """List episodes, a page at a time."""
    page = library.browse(
        text=text,
        series=series,
        season=season,
        label=label,
        state=state,
        order=order,
        after=after,
        limit=limit,
    )
    items = [schemas.Episode.of(row) for row in page]
    return schemas.Episodes(items=items, next=page.next, total=page.total)


@router.get("/episodes/{episode_id}")
def episode(library: Asked, episode_id: EpisodeId) -> schemas.EpisodeDetails:
    """Show one episode."""
    return schemas.EpisodeDetails.of(library.episode(episode_id))


@router.get("/episodes/{episode_id}/appearances")
def appearances(
    library: Asked,
    episode_id: EpisodeId,
    at: Annotated[Seconds | None, Query()] = None,
    from_: Annotated[Seconds | None, Query(alias="from")] = None,
    to: Annotated[Seconds | None, Query()] = None,
    raw: bool = False,
    places: bool = False,
) -> schemas.Appearances:
    """Say who is on screen, and when."""
    found = library.who(episode_id, at=at, from_=from_, to=to, raw=raw, places=places)
    items = [schemas.Appearance.of(row) for row in found]
    return schemas.Appearances(items=items, unexamined=list(found.unexamined))


@router.get("/episodes/{episode_id}/contact")
def contact(library: Asked, episode_id: EpisodeId) -> schemas.Contact:
    """Describe the contact sheets of the stored frames."""
    return schemas.Contact.of(library.contact(episode_id))


Answers: TypeAlias = dict[int | str, dict[str, Any]]

_JPEG: Answers = {200: {"content": {"image/jpeg": {}}, "description": "A picture."}}
_VIDEO: Answers = {
    200: {"content": {"video/*": {}}, "description": "The whole file."},
    206: {"content": {"video/*": {}}, "description": "A range of it."},
    304: {"description": "It has not changed."},
    416: {"description": "There is no such range."},
}
_FILE: Answers = {200: {"content": {"application/octet-stream": {}}, "description": "The file."}}


@router.get("/episodes/{episode_id}/still", response_class=Response, responses=_JPEG)
def still(
    library: Asked,
    episode_id: EpisodeId,
    at: Annotated[Seconds | None, Query()] = None,
    run: Annotated[
        int | None, Query(description="Makes the address one of a fixed picture")
    ] = None,
) -> Response:
    """Show the stored frame at a time; without one, a frame of the longest appearance."""
    content = library.still(episode_id, at)
    return jpeg_response(content, is_immutable=_is_current(library, episode_id, run))


def _is_current(library: Library, episode_id: int, run: int | None) -> bool:
    return run is not None and library.episode(episode_id).browsed.current_run == run


@router.get("/episodes/{episode_id}/contact/{number}", response_class=Response, responses=_JPEG)
def contact_sheet(
    library: Asked,
    episode_id: EpisodeId,
    number: Annotated[int, Path(ge=0, le=1_000_000)],
    run: Annotated[
        int | None, Query(description="Makes the address one of a fixed picture")
    ] = None,
) -> Response:
    """Show a contact sheet of 100 stored frames."""
    content = library.contact_sheet(episode_id, number)
    return jpeg_response(content, is_immutable=_is_current(library, episode_id, run))


@router.get("/episodes/{episode_id}/video", response_class=Response, responses=_VIDEO)
@router.head("/episodes/{episode_id}/video", include_in_schema=False)
def video(library: Asked, episode_id: EpisodeId) -> Response:
    """Give the episode's file, in ranges if asked for."""
    return VideoResponse(library, episode_id)


@router.get("/episodes/{episode_id}/export", response_class=Response, responses=_FILE)
def export(
    library: Asked,
    episode_id: EpisodeId,
    format: Annotated[ExportFormat, Query()],  # noqa: A002 - the name of the option
    raw: bool = False,
) -> Response:
    """Export the timeline for another tool."""
    folder = tempfile.TemporaryDirectory(prefix="castline-export-")
    try:
        [path] = library.export(episode_id, format, FilePath(folder.name), raw=raw).files
    except BaseException:
        folder.cleanup()
        raise
    return FileResponse(
        path,
        filename=path.name,
        media_type="application/octet-stream",  # to be kept, whatever a browser could show
        background=BackgroundTask(folder.cleanup),
    )
